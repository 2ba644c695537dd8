import type { Config, MdevTraits, ParentObservation, PciFunction, Step } from '#vocabulary';
import { parseOperation, printEvent, printHostPasid, printImsEntry, printOutcome } from '#vocabulary';
import { B_STATIC, B as DYNAMIC } from './answer.fixture.ts';
import { MdevMachine } from './mdev-machine.ts';

// What the tests of mdevs are written with.

export const PER_VECTOR: MdevTraits = {
  ...{ allocation: 'per-vector', permSync: 'atEnable', noTranslation: 'fail' },
  ...{ defaultPasid: 'per-mdev', releaseBy: 'index' },
};

/** A mdev of three vectors. */
export function mdevOf(vm: number, viommu = true, msixVectors = 3): PciFunction {
  const facts = viommu ? { vm, viommu: true as const } : { vm };
  return { msixVectors, whileOff: 'drops', reset: true, mdev: facts };
}

/** Two mdevs of two VMs, whose default PASIDs are 1 and 2, on a parent with four entries. */
export function configOf(traits: Partial<MdevTraits> = {}, more: Partial<Config> = {}): Config {
  return {
    host: DYNAMIC,
    mdev: { ...PER_VECTOR, ...traits },
    parent: { entries: 4, pasids: 6, quota: 4, handles: 'index' },
    devices: [mdevOf(0), mdevOf(1)],
    ...more,
  };
}

export const STATIC = { host: B_STATIC } as const;

export const enable = (range: string, data: string, device = 0): string =>
  `vfio.setIrqs MSIX EVENTFD|TRIGGER ${range} [${data}]${device === 0 ? '' : ` @${device}`}`;
export const OFF = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';
/** A descriptor with the default PASID is submitted and begun. */
export const begin = (descriptor: number, handle: number, device = 0): string[] => [
  `guest.submit ${descriptor} dedicated 0 handle=${handle}${device === 0 ? '' : ` @${device}`}`,
  `device.start ${descriptor}`,
];

export function steps(config: Config, ...lines: readonly string[]): readonly Step[] {
  return structuredClone(new MdevMachine().run({ config, operations: lines.map(parseOperation) }).steps);
}

/** What the last operation did: `outcome | events`. */
export function did(config: Config, ...lines: readonly string[]): string {
  const step = steps(config, ...lines).at(-1);
  if (step === undefined) throw new Error('no operation');
  return [printOutcome(step.outcome), ...step.events.map(printEvent)].join(' | ');
}

/** All entries with an owner, and all PASIDs in use, after some steps, in words. */
export function parentAfter(config: Config, ...lines: readonly string[]): readonly string[] {
  const trace = new MdevMachine().run({ config, operations: lines.map(parseOperation) });
  const observations = [trace.initialParent, ...trace.steps.map(({ parent }) => parent)].map(there);
  const entries = new Map(observations.flatMap((parent) => parent.entries).map((one) => [one.entry, one]));
  const pasids = new Map(observations.flatMap((parent) => parent.pasids).map((one) => [one.pasid, one]));
  return [
    ...[...entries.values()].filter(({ device }) => device !== -1).map(printImsEntry),
    ...[...pasids.values()].filter(({ state }) => state !== 'free').map(printHostPasid),
  ].sort();
}

function there(parent: ParentObservation | undefined): ParentObservation {
  if (parent === undefined) throw new Error('the parent was not observed');
  return parent;
}
