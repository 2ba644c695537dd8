import { CONFIG_DATA, FUNCTION, FUNCTION_BAR, hex, type Layout, select } from '../qemu/guest.ts';

/*
 * The function of the guest is a real one, whose registers are where they are. All else about it is as in impl/qemu.
 */

const CAPABILITIES_POINTER = 0x34;
const CAPABILITY_MSIX = 0x11;
const BIR = 7;

/** Does lines in order, and returns what each answers. */
type Ask = (lines: readonly string[]) => Promise<string[]>;

/** Finds the registers of the function. */
export async function findLayout(ask: Ask): Promise<Layout> {
  const read = async (offset: number): Promise<number> => {
    const [, value] = await ask([select(FUNCTION + (offset & ~3)), `inl ${hex(CONFIG_DATA)}`]);
    return Number(value) >>> (8 * (offset & 3));
  };
  let capability = (await read(CAPABILITIES_POINTER)) & 0xff;
  while (capability !== 0 && ((await read(capability)) & 0xff) !== CAPABILITY_MSIX)
    capability = (await read(capability + 1)) & 0xff;
  const table = await read(capability + 4);
  const pba = await read(capability + 8);
  if (capability === 0 || (table & BIR) !== (pba & BIR))
    throw new Error(`a function with its table at ${hex(table)} and its PBA at ${hex(pba)}`);
  return {
    vectors: ((await read(capability + 2)) & 0x7ff) + 1,
    capability,
    bar: table & BIR,
    table: FUNCTION_BAR + table - (table & BIR),
    pba: FUNCTION_BAR + pba - (pba & BIR),
  };
}
