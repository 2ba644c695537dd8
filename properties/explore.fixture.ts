import { type MdevTraits, type Operation, type Parent, type PciFunction, parseOperation } from '#vocabulary';
import { hostTraits } from '../model/profiles.ts';
import type { MdevConfig } from './invariants/followed-parent.ts';
import { INVARIANTS } from './invariants/index.ts';
import { type Exploration, explore, type Reach } from './runner/explore.ts';
import { alphabetFrom } from './runner/explore-alphabet.ts';
import { exploredMdevs, modelOfMdevs, type ParentMachine } from './runner/explored-mdev.ts';

const PERM_SYNCS: readonly Pick<MdevTraits, 'permSync' | 'noTranslation'>[] = [
  { permSync: 'atEnable', noTranslation: 'fail' },
  { permSync: 'atUnmask', noTranslation: 'closed' },
  { permSync: 'immediate', noTranslation: 'default' },
];

/** The three ways of synchronising, each with another answer to a PASID that is not bound. */
export const MODES: readonly (readonly [string, Pick<MdevTraits, 'permSync' | 'noTranslation'>])[] = PERM_SYNCS.map(
  (mode) => [mode.permSync, mode] as const,
);

/** An mdev that has a VM of its own. */
function mdev(vm: number, msixVectors: number): PciFunction {
  return { msixVectors, whileOff: 'drops', reset: true, mdev: { vm, viommu: true } };
}

/** The least on which VMs can harm each other: two of them, with 2 and 1 IMS vectors, and 2 entries in all. */
export function smallest(traits: Partial<MdevTraits>, parent: Partial<Parent> = {}): MdevConfig {
  return {
    host: hostTraits('linux-6.12'),
    mdev: {
      ...{ allocation: 'per-vector', permSync: 'atEnable', noTranslation: 'fail' },
      ...{ defaultPasid: 'per-mdev', releaseBy: 'index' },
      ...traits,
    },
    parent: { entries: 2, pasids: 4, quota: 2, handles: 'index', ...parent },
    devices: [mdev(0, 3), mdev(1, 2)],
  };
}

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const VECTORS = ['1 @0', '2 @0', '1 @1'].map((words) => words.split(' '));
const GUESTS = ['@0', '@1'];

/**
 * What two guests do about their vectors and one descriptor that is in flight. Their one PASID has the number of the
 * default PASID of VM 1, so that a number that is not translated is another VM's.
 */
export const ISOLATION: readonly Operation[] = [
  ...VECTORS.flatMap(([vector, at]) => [`${SET} ${vector}+1 [e${vector}] ${at}`, `${SET} ${vector}+1 [-1] ${at}`]),
  ...GUESTS.flatMap((at) => [
    ...[`guest.msixPerm 1 on 2 ${at}`, `guest.msixPerm 1 off 0 ${at}`, `guest.mask 1 ${at}`, `guest.unmask 1 ${at}`],
    ...[`guest.bindPasid 2 ${at}`, `guest.freePasid 2 ${at}`],
    ...[0, 1].flatMap((handle) => [
      `guest.submit 0 shared 2 handle=${handle} ${at}`,
      `guest.submit 0 dedicated 0 handle=${handle} ${at}`,
    ]),
  ]),
  'device.start 0',
  'device.complete 0',
].map(parseOperation);

/** What is done to mdevs as a whole, ranges, handles and vector 0, beside the least that vectors need. */
export const LIFE: readonly Operation[] = [
  ...[`${SET} 0+3 [e0 e1 e2]`, `${SET} 1+2 [e1 bad]`, `${SET} 1+1 [-1]`, `${SET} 1+1 [e3] @1`],
  ...['vfio.setIrqs MSIX NONE|TRIGGER 0+0 []', 'vfio.setIrqs MSIX NONE|TRIGGER 0+3 []', 'host.failAllocation 1'],
  ...['guest.unmask 0', 'guest.unmask 1', 'guest.msixPerm 1 on 2 ignore', 'guest.bindPasid 2', 'guest.freePasid 2'],
  ...['guest.requestHandle 1', 'guest.requestHandle 1 @1', 'guest.releaseHandle 1', 'device.raise 0'],
  ...['guest.submit 0 shared 2 handle=0', 'guest.submit 0 dedicated 0 handle=0 @1', 'device.start 0'],
  ...['device.complete 0', 'vfio.reset', 'vfio.close', 'vfio.open', 'host.detach', 'host.attach', 'host.crash 0'],
  ...['host.removeMdev', 'host.createMdev'],
].map(parseOperation);

/** Room for every state of the machines of this file. */
const STATES = 4_000_000;

/** Tries every sequence of so many operations on a machine. */
export function exploreOn<State>(
  config: MdevConfig,
  machine: ParentMachine<State>,
  operations: readonly Operation[],
  reach: Reach,
): Exploration {
  return explore(exploredMdevs(config, machine, INVARIANTS), alphabetFrom(config, operations), reach);
}

/** The same on the model. */
export function exploreModel(config: MdevConfig, operations: readonly Operation[], depth: number): Exploration {
  return exploreOn(config, modelOfMdevs(config), operations, { depth, states: STATES });
}

/** The promises that were broken, in words. */
export function broken({ verdicts }: Exploration): readonly string[] {
  return [...verdicts].flatMap(([id, { broken: found }]) => (found === null ? [] : [`${id}: ${found.breach.message}`]));
}
