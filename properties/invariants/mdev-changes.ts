import { type HostPasid, type ImsEntry, printHostPasid, printImsEntry, printVectorState, type Step } from '#vocabulary';
import { canBe } from './by-vector.ts';
import {
  at,
  descriptorOf,
  entryOf,
  type FollowedDescriptor,
  type FollowedParent,
  hasMdev,
  type MdevConfig,
  mdevOf,
  pasidOf,
  vmOf,
} from './followed-parent.ts';

/** One thing that a step made different. */
export type Change =
  | { readonly kind: 'entry'; readonly old: ImsEntry; readonly now: ImsEntry }
  | { readonly kind: 'pasid'; readonly old: HostPasid; readonly now: HostPasid }
  | {
      readonly kind: 'mdev';
      readonly device: number;
      readonly field: 'life' | 'defaultPasid' | 'enable' | 'infoFlags';
      readonly old: unknown;
      readonly now: unknown;
    }
  | {
      readonly kind: 'vector';
      readonly device: number;
      readonly vector: number;
      readonly old: number;
      readonly now: number;
    }
  | {
      readonly kind: 'perm';
      readonly device: number;
      readonly vector: number;
      readonly old: number;
      readonly now: number;
    }
  | {
      readonly kind: 'descriptor';
      readonly old: FollowedDescriptor | undefined;
      readonly now: FollowedDescriptor | undefined;
    };

/** What a step made different, in the order in which it says so. What it repeats is no change. */
export function changesOf(before: FollowedParent, after: FollowedParent, step: Step): readonly Change[] {
  const changes: Change[] = [];
  for (const [device, observed] of step.observation.entries())
    if (hasMdev(after, device)) deviceChanges(before, after, device, observed, changes);
  if (step.parent === undefined) return changes;
  for (const now of step.parent.entries) {
    const old = entryOf(before, now.entry);
    if (!sameEntry(old, now)) changes.push({ kind: 'entry', old, now });
  }
  for (const now of step.parent.pasids) {
    const old = pasidOf(before, now.pasid);
    if (!samePasid(old, now)) changes.push({ kind: 'pasid', old, now });
  }
  for (const { device, vector } of step.parent.perms) {
    if (!hasMdev(after, device)) continue;
    const [old, now] = [at(mdevOf(before, device).perms, vector), at(mdevOf(after, device).perms, vector)];
    if (old !== now) changes.push({ kind: 'perm', device, vector, old, now });
  }
  for (const { descriptor } of step.parent.descriptors) {
    const [old, now] = [descriptorOf(before, descriptor), descriptorOf(after, descriptor)];
    if (old !== now) changes.push({ kind: 'descriptor', old, now });
  }
  return changes;
}

const FIELDS = ['life', 'defaultPasid', 'enable', 'infoFlags'] as const;

function deviceChanges(
  before: FollowedParent,
  after: FollowedParent,
  device: number,
  observed: Step['observation'][number],
  changes: Change[],
): void {
  const [was, is] = [mdevOf(before, device), mdevOf(after, device)];
  for (const field of FIELDS)
    if (was[field] !== is[field]) changes.push({ kind: 'mdev', device, field, old: was[field], now: is[field] });
  for (const { vector } of observed.changes) {
    if (!canBe(vector)) continue;
    const [old, now] = [at(was.states, vector), at(is.states, vector)];
    if (old !== now) changes.push({ kind: 'vector', device, vector, old, now });
  }
}

function sameEntry(left: ImsEntry, right: ImsEntry): boolean {
  const sameOwner = left.device === right.device && left.vector === right.vector;
  return sameOwner && left.control === right.control && left.data === right.data && left.handle === right.handle;
}

function samePasid(left: HostPasid, right: HostPasid): boolean {
  const same = left.state === right.state && left.vm === right.vm && left.guest === right.guest;
  return same && left.references === right.references;
}

/** The VMs whose the thing was or is. */
export function vmsOf(config: MdevConfig, change: Change): readonly number[] {
  switch (change.kind) {
    case 'entry':
      return [change.old, change.now].filter(({ device }) => device !== -1).map(({ device }) => vmOf(config, device));
    case 'pasid':
      return [change.old.vm, change.now.vm].filter((vm) => vm !== -1);
    case 'mdev':
    case 'vector':
    case 'perm':
      return [vmOf(config, change.device)];
    case 'descriptor':
      return [change.old, change.now].flatMap((seen) => (seen === undefined ? [] : [vmOf(config, seen.device)]));
  }
}

/** What changed, from what to what. */
export function printChange(change: Change): string {
  switch (change.kind) {
    case 'entry':
      return `${printImsEntry(change.old)}, now ${printImsEntry(change.now)}`;
    case 'pasid':
      return `${printHostPasid(change.old)}, now ${printHostPasid(change.now)}`;
    case 'mdev':
      return `${change.field} of mdev ${change.device} from ${change.old} to ${change.now}`;
    case 'vector': {
      const { device, vector, old, now } = change;
      return `vector ${vector} of mdev ${device} from ${printVectorState(old)} to ${printVectorState(now)}`;
    }
    case 'perm':
      return `MSIX_PERM of vector ${change.vector} of mdev ${change.device} from ${change.old} to ${change.now}`;
    case 'descriptor': {
      const { descriptor, device } = change.old ?? change.now ?? { descriptor: -1, device: -1 };
      return `descriptor ${descriptor} of mdev ${device} from ${phase(change.old)} to ${phase(change.now)}`;
    }
  }
}

function phase(seen: FollowedDescriptor | undefined): string {
  return seen?.phase ?? 'over';
}
