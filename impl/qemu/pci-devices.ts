import type { Message, PciFunction } from '#vocabulary';

/** Where things are in the configuration space and the BAR of the function that QEMU shows to its guest. */
export const MSIX_CAPABILITY = 0x70;
export const TABLE_OFFSET = 0;
export const PBA_OFFSET = 0x8000;
const FUNCTION_BAR_BYTES = 0x10000;

const CONFIG_BYTES = 256;
const COMMAND_STATUS = 4;
const STATUS_CAPABILITIES = 0x10;
const CLASS_CODE = 8;
const BAR_0 = 0x10;
const CAPABILITIES_POINTER = 0x34;
const INTERRUPT_PIN = 0x3d;
const MSIX_CAPABILITY_ID = 0x11;
const PIN_A = 1;
/** A base class for what fits no other. */
const CLASS_UNASSIGNED = 0xff000000;
/** A vendor and a device for which QEMU has no quirk. */
const VENDOR_DEVICE = 0x0f01_1b36;
const BAR_IS_64_BIT = 4;

/** The most BARs that a function has. */
const BARS = 6;

const VFIO_DEVICE_FLAGS_RESET = 1;
const VFIO_DEVICE_FLAGS_PCI = 2;
/** INTx, MSI, MSI-X, ERR and REQ. */
const INDICES = 5;

/** A BAR of ours, and where the guest puts it. */
export interface Bar {
  readonly address: bigint;
  readonly bytes: bigint;
  /** Takes two places, and may end where 32 bits do, or beyond. */
  readonly wide: boolean;
}

function narrow(address: number, bytes: number): Bar {
  return { address: BigInt(address), bytes: BigInt(bytes), wide: false };
}

/** What the guest rings, see shim.c. */
export const BELL: Bar = narrow(0xe8000000, 0x1000);
export const BELL_COUNT = BELL.address + 8n;

/**
 * Bus addresses at which nothing is but a BAR of ours: a message that is written there is told, one by one. They leave
 * out memory, the function's own window, and the page of the APIC, without which QEMU has no MSI-X at all.
 */
const MAILBOXES: readonly Bar[] = [
  ...Array.from({ length: 18 }, (_, place) => narrow(2 ** (13 + place), 2 ** (13 + place))),
  narrow(0x80000000, 0x40000000),
  narrow(0xc0000000, 0x20000000),
  { address: 0xf0000000n, bytes: 0x10000000n, wide: true },
  { address: 1n << 32n, bytes: 1n << 32n, wide: true },
  { address: 0xffffffff_00000000n, bytes: 1n << 31n, wide: true },
  { address: 0xffffffff_fe000000n, bytes: 1n << 24n, wide: true },
];

/** Bus addresses inside the mailboxes at which the machine has something of its own: ROMs, I/O APIC, HPET and APIC. */
const OWN_ADDRESSES: readonly (readonly [first: bigint, end: bigint])[] = [
  [0xa0000n, 0x100000n],
  [0xfec00000n, 0xfef00000n],
];

/**
 * Whether a message of the function is seen: one that goes to a mailbox. The bus has no messages at addresses that are
 * no multiple of 4, and QEMU takes none of those to a device.
 */
export function seesMessage({ address, high }: Message): boolean {
  const place = (BigInt(high) << 32n) | BigInt(address);
  if (place % 4n !== 0n || OWN_ADDRESSES.some(([first, end]) => first <= place && place < end)) return false;
  return MAILBOXES.some((box) => box.address <= place && place < box.address + box.bytes);
}

/** Bell and mailboxes, as many as fit in a device, by their places there. */
export const BELL_DEVICES: readonly (readonly (Bar | undefined)[])[] = inDevices([BELL, ...MAILBOXES]);

function inDevices(bars: readonly Bar[]): (Bar | undefined)[][] {
  const devices: (Bar | undefined)[][] = [[]];
  for (const bar of bars) {
    const places = bar.wide ? [bar, undefined] : [bar];
    const last = devices.at(-1);
    if (last === undefined || last.length + places.length > BARS) devices.push(places);
    else last.push(...places);
  }
  return devices;
}

/** The answer to a `d` line for a device of bells and mailboxes. */
export function describeBells(bars: readonly (Bar | undefined)[]): string {
  const config = header();
  for (const [place, bar] of bars.entries())
    if (bar?.wide === true) config.writeUInt32LE(BAR_IS_64_BIT, BAR_0 + 4 * place);
  return describe(
    VFIO_DEVICE_FLAGS_PCI,
    bars.map((bar) => bar?.bytes ?? 0n),
    config,
  );
}

/** The answer to a `d` line for the function of a scenario: its table and PBA lie in BAR 0. */
export function describeFunction({ msixVectors, intx, reset }: PciFunction): string {
  const config = header();
  if (intx === true) config[INTERRUPT_PIN] = PIN_A;
  if (msixVectors > 0) {
    config.writeUInt16LE(STATUS_CAPABILITIES, COMMAND_STATUS + 2);
    config[CAPABILITIES_POINTER] = MSIX_CAPABILITY;
    config[MSIX_CAPABILITY] = MSIX_CAPABILITY_ID;
    config.writeUInt16LE(msixVectors - 1, MSIX_CAPABILITY + 2);
    config.writeUInt32LE(TABLE_OFFSET, MSIX_CAPABILITY + 4);
    config.writeUInt32LE(PBA_OFFSET, MSIX_CAPABILITY + 8);
  }
  const flags = VFIO_DEVICE_FLAGS_PCI | (reset === true ? VFIO_DEVICE_FLAGS_RESET : 0);
  return describe(flags, [BigInt(FUNCTION_BAR_BYTES)], config);
}

function header(): Buffer {
  const config = Buffer.alloc(CONFIG_BYTES);
  config.writeUInt32LE(VENDOR_DEVICE, 0);
  config.writeUInt32LE(CLASS_UNASSIGNED, CLASS_CODE);
  return config;
}

function describe(flags: number, sizes: readonly bigint[], config: Buffer): string {
  const all = Array.from({ length: BARS }, (_, place) => sizes[place] ?? 0n);
  return `${flags} ${INDICES} ${all.join(' ')} ${config.toString('hex')}`;
}
