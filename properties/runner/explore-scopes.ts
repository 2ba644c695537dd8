import type { Config, Operation, PciFunction } from '#vocabulary';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import { expectationsOf } from '../expected.ts';
import { INVARIANTS } from '../invariants/index.ts';
import type { InvariantId } from '../invariants/invariant.ts';
import { hasMdevs } from '../invariants/mdev-moment.ts';
import { type Exploration, explore, type Reach, type Sofar, type Subject } from './explore.ts';
import { type Alphabet, alphabetFrom, alphabetOf } from './explore-alphabet.ts';
import { type Explored, exploreTogether, sliceWorkers } from './explore-crew.ts';
import { exploredGuest } from './explored-guest.ts';
import { exploredMdevs, modelOfMdevs } from './explored-mdev.ts';
import { exploredUser } from './explored-user.ts';

/** One small configuration of which everything is tried: plain data, so that a worker can be sent it. */
export interface Scope {
  /** Whose expected violations count; `unnamed` for a machine that no profile describes. */
  readonly profile: ProfileName | 'unnamed';
  readonly config: Config;
  /** Null for those that the Config suggests. */
  readonly operations: readonly Operation[] | null;
  /** The promises to judge; all where there is none. */
  readonly invariants: readonly InvariantId[];
}

/** Both hosts by themselves and under each VMM, and mdevs with each way of synchronising. */
export const SCOPE_PROFILES: readonly ProfileName[] = [
  'linux-6.1',
  'linux-6.12',
  'linux-6.1+qemu-7.2',
  'linux-6.12+qemu-7.2',
  'linux-6.1+qemu-10.0',
  'linux-6.12+qemu-10.0',
  'linux-6.1+all-at-enable',
  'linux-6.12+all-at-enable',
  'idxd-mdev',
  'idxd-mdev-at-unmask',
  'idxd-mdev-immediate',
];

/** The smallest machine of a profile that has something to show. Mdevs are as many as can harm each other. */
export function scopeConfig(profile: ProfileName, vectors: number): Config {
  const platform = platformOf(profile);
  if (platform.mdev === undefined) return { ...platform, devices: [{ msixVectors: vectors, whileOff: 'drops' }] };
  return {
    ...platform,
    parent: { entries: 2, pasids: 4, quota: 2, handles: 'index' },
    devices: [mdevOfVm(0), mdevOfVm(1)],
  };
}

function mdevOfVm(vm: number): PciFunction {
  return { msixVectors: 2, whileOff: 'drops', reset: true, mdev: { vm, viommu: true } };
}

/** What is tried in every state of a scope. */
export function scopeAlphabet({ config, operations }: Scope): Alphabet {
  return operations === null ? alphabetOf(config) : alphabetFrom(config, operations);
}

/** Tries everything of a scope, on the reference. */
export function exploreScope(scope: Scope, reach: Reach): Exploration {
  const { subject, alphabet } = exploredScope(scope);
  return explore(subject, alphabet, reach);
}

/** The reference and the promises of a scope, with what is tried. */
export function exploredScope(scope: Scope): Explored {
  return { subject: subjectOf(scope), alphabet: scopeAlphabet(scope) };
}

function subjectOf({ config, profile, operations, invariants: ids }: Scope): Subject<unknown> {
  const invariants = INVARIANTS.filter(({ id }) => ids.length === 0 || ids.includes(id));
  const expectations = expectationsOf(profile, 'reference');
  if (hasMdevs(config)) return exploredMdevs(config, modelOfMdevs(config), invariants);
  if (config.vmm === undefined) return exploredUser(config, invariants, expectations);
  // A file may ask one vector what it does not ask another.
  const isSymmetric = operations === null;
  return exploredGuest(config, invariants, expectations, isSymmetric);
}

/**
 * Explores one scope after the other, each on all cores, and returns what was found of each.
 * @throws HarnessError when a worker dies
 */
export async function explorations(
  scopes: readonly Scope[],
  reach: Reach,
  onProgress: (place: number, sofar: Sofar) => void,
): Promise<readonly Exploration[]> {
  const workers = sliceWorkers<Scope>('explore-worker');
  const found: Exploration[] = [];
  try {
    for (const [place, scope] of scopes.entries()) {
      const telling = { ...reach, onProgress: (sofar: Sofar) => onProgress(place, sofar) };
      found.push(await exploreTogether(exploredScope, scope, telling, workers));
    }
  } finally {
    for (const worker of workers) worker.end();
  }
  return found;
}
