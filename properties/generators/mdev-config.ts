import type { Random } from 'fast-check';
import type { Config, Parent, PciFunction, Platform, Support } from '#vocabulary';
import { chance, pick } from './random.ts';

/** A platform whose devices are mdevs, shown to a guest by a VMM or not. */
export type MdevPlatform = Platform & Required<Pick<Platform, 'mdev'>>;

/** What a machine with mdevs is made of. */
export type MdevConfig = Config & Required<Pick<Config, 'mdev' | 'parent'>>;

/** Mdevs of a machine; two are what it takes for one to disturb another. */
const MDEVS: readonly number[] = [2, 2, 2, 2, 3, 3, 3, 4, 4, 1];

/** So many entries and PASIDs are as good as any number. */
const MANY = 64;

/** A machine with mdevs: few of everything, so that numbers that one has given back are soon another's. */
export function drawMdevConfig(random: Random, support: Support, { host, mdev, vmm }: MdevPlatform): MdevConfig {
  const count = Math.min(pick(random, MDEVS), support.devicesMax);
  const vms = drawVms(random, count);
  // A VM has a virtual IOMMU, or it has none: mostly for all of its devices.
  const withIommu = [0, 1, 2, 3].map(() => chance(random, 85));
  // Rarely a device is not behind what its VM has, or behind one alone.
  const devices = vms.map(
    (vm): PciFunction => mdevOf(drawVectors(random), vm, (withIommu[vm] === true) !== chance(random, 4)),
  );
  const parent = drawParent(random, mdev.allocation === 'per-vector' ? undefined : wantedEntries(devices));
  return vmm === undefined ? { host, mdev, parent, devices } : { host, mdev, vmm, parent, devices };
}

/** The simplest function that is an mdev, with so many vectors. */
export function mdevOf(msixVectors: number, vm: number, viommu: boolean): PciFunction {
  return { msixVectors, whileOff: 'drops', reset: true, mdev: viommu ? { vm, viommu } : { vm } };
}

/** Mostly two VMs, each with something of its own. */
function drawVms(random: Random, count: number): number[] {
  const isOne = chance(random, 6);
  const most = isOne ? 0 : chance(random, 10) ? 2 : 1;
  return Array.from({ length: count }, (_, place) => (place <= most ? place : random.nextInt(0, most)));
}

/** Vector 0 is the driver's own, so that one vector alone is none. */
function drawVectors(random: Random): number {
  const choice = random.nextInt(0, 19);
  if (choice === 0) return 1;
  return choice < 3 ? random.nextInt(5, 12) : random.nextInt(2, 4);
}

/** As many entries as the vectors of all devices take. */
function wantedEntries(devices: readonly PciFunction[]): number {
  return Math.max(
    1,
    devices.reduce((sum, { msixVectors }) => sum + msixVectors - 1, 0),
  );
}

/** @param wanted entries that are just enough, where each mdev takes all of its own at once */
function drawParent(random: Random, wanted: number | undefined): Parent {
  const entries = wanted !== undefined && chance(random, 50) ? wanted : drawEntries(random);
  return {
    entries,
    pasids: drawPasids(random),
    quota: chance(random, wanted === undefined ? 75 : 90) ? entries : random.nextInt(1, Math.min(entries, 3)),
    handles: pick(random, ['requested', 'index'] as const),
  };
}

function drawEntries(random: Random): number {
  const choice = random.nextInt(0, 19);
  if (choice === 0) return 1;
  if (choice === 1) return MANY;
  return choice < 4 ? random.nextInt(7, 16) : random.nextInt(2, 6);
}

function drawPasids(random: Random): number {
  const choice = random.nextInt(0, 19);
  if (choice === 0) return MANY;
  return choice < 4 ? random.nextInt(2, 4) : random.nextInt(6, 12);
}
