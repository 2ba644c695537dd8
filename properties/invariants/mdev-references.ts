import { type HostPasid, printHostPasid } from '#vocabulary';
import { at, type FollowedParent, freePasid, pasidOf, put } from './followed-parent.ts';
import type { Breach } from './invariant.ts';
import type { Change } from './mdev-changes.ts';
import { carried } from './mdev-entries.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** Who refers to each PASID. */
interface Holders {
  /** Whoever allocated it for its guest, and mdevs that have it as default. */
  readonly keepers: readonly number[];
  /** Entries that carry it and descriptors in flight. */
  readonly users: readonly number[];
}

/**
 * Each PASID is referred to as often as it says: by its allocator, by mdevs, entries and descriptors in flight. It is
 * free when nothing refers to it, then and only then, and nobody's to reuse while something does.
 */
export function referenceBreaches(moment: MdevMoment): Breach[] {
  const { before, after, changes, index } = moment;
  const breaches: Breach[] = [];
  if (index > 0 && !changes.some(isOfReferences)) return breaches;
  const { keepers, users } = holdersOf(after);
  for (let pasid = 1; pasid < Math.max(keepers.length, users.length, after.pasids.length); pasid += 1) {
    const wrong = referencesWrong(pasidOf(after, pasid), at(keepers, pasid), at(users, pasid));
    if (wrong !== null) breaches.push(breach(moment, wrong, at(before.pasidsAt, pasid)));
  }
  return breaches;
}

function isOfReferences({ kind }: Change): boolean {
  return kind === 'entry' || kind === 'pasid' || kind === 'descriptor' || kind === 'mdev';
}

function holdersOf({ pasids, mdevs, entries, descriptors }: FollowedParent): Holders {
  const keepers: number[] = [];
  const users: number[] = [];
  for (const { pasid, state, guest } of pasids) if (state === 'active' && guest !== 0) countIn(keepers, pasid);
  for (const { defaultPasid } of mdevs) if (defaultPasid !== 0) countIn(keepers, defaultPasid);
  for (const entry of entries) if (carried(entry) !== 0) countIn(users, carried(entry));
  for (const { pasid } of descriptors) countIn(users, pasid);
  return { keepers, users };
}

function countIn(counts: number[], place: number): void {
  put(counts, place, at(counts, place) + 1);
}

function referencesWrong(pasid: HostPasid, keepers: number, users: number): string | null {
  const owed = keepers > 0 ? 'active' : users > 0 ? 'free-pending' : 'free';
  if (pasid.state !== owed)
    return `${printHostPasid(pasid)}: ${keepers} keep it and ${users} carry it, so it is ${owed}`;
  if (pasid.references !== keepers + users) return `${printHostPasid(pasid)}: ${keepers} keep it and ${users} carry it`;
  const { vm, guest } = freePasid(0);
  return pasid.state === 'free' && (pasid.vm !== vm || pasid.guest !== guest)
    ? `PASID ${pasid.pasid} is free and still of VM ${pasid.vm}`
    : null;
}
