import {
  type Config,
  MSIX_VECTORS_MAX,
  type Operation,
  printOperation,
  type Scenario,
  type Support,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';
import { variantsOf } from './variants.ts';

/** Letters of an alphabet at most: with more, not even short words can all be tried. */
const LETTERS_MAX = 40;

/** The operations of a scenario, each once, then their variants, as many as there is room for. */
export function alphabetOf({ config, operations }: Scenario, support: Support): readonly Operation[] {
  const letters = new Map(operations.map((operation) => [printOperation(operation), operation]));
  for (const operation of [...letters.values()])
    for (const variant of variantsOf(operation, config, support))
      if (letters.size < LETTERS_MAX) letters.set(printOperation(variant), variant);
  return [...letters.values()];
}

/**
 * The machine with one more vector in every MSI-X table, or null where tables are what they are or nothing is asked of
 * ranges: a call about two vectors can do in one operation what takes two on a machine with one.
 */
export function withLargerTables({ config, operations }: Scenario, { functions }: Support): Config | null {
  const isAboutRange = operations.some(
    (operation) => operation.kind === 'vfio.setIrqs' && operation.index === VFIO_PCI_MSIX_IRQ_INDEX,
  );
  if (functions !== 'any' || !isAboutRange) return null;
  return {
    ...config,
    devices: config.devices.map((device) =>
      device.msixVectors === 0 || device.msixVectors === MSIX_VECTORS_MAX
        ? device
        : { ...device, msixVectors: device.msixVectors + 1 },
    ),
  };
}
