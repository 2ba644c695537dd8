import { type HostPasid, printHostPasid } from '#vocabulary';
import { at, type FollowedParent, freePasid, pasidOf } from './followed-parent.ts';
import type { Breach } from './invariant.ts';
import { carried } from './mdev-entries.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** Who refers to a PASID. */
interface Holders {
  /** Whoever allocated it for its guest, and mdevs that have it as default. */
  keepers: number;
  /** Entries that carry it and descriptors in flight. */
  users: number;
}

/**
 * Each PASID is referred to as often as it says: by its allocator, by mdevs, entries and descriptors in flight. It is
 * free when nothing refers to it, then and only then, and nobody's to reuse while something does.
 */
export function referenceBreaches(moment: MdevMoment): Breach[] {
  const { before, after, changes, index } = moment;
  const judged = changes.some(({ kind }) => kind === 'entry' || kind === 'pasid' || kind === 'descriptor');
  if (!judged && !changes.some(({ kind }) => kind === 'mdev') && index > 0) return [];
  const holders = holdersOf(after);
  const breaches: Breach[] = [];
  for (let pasid = 1; pasid < Math.max(holders.length, after.pasids.length); pasid += 1) {
    const wrong = referencesWrong(pasidOf(after, pasid), holders[pasid] ?? { keepers: 0, users: 0 });
    if (wrong !== null) breaches.push(breach(moment, wrong, at(before.pasidsAt, pasid)));
  }
  return breaches;
}

function holdersOf({ pasids, mdevs, entries, descriptors }: FollowedParent): (Holders | undefined)[] {
  const holders: (Holders | undefined)[] = [];
  const of = (pasid: number): Holders => {
    const known = holders[pasid] ?? { keepers: 0, users: 0 };
    holders[pasid] = known;
    return known;
  };
  for (const { pasid, state, guest } of pasids) if (state === 'active' && guest !== 0) of(pasid).keepers += 1;
  for (const { defaultPasid } of mdevs) if (defaultPasid !== 0) of(defaultPasid).keepers += 1;
  for (const entry of entries) {
    const pasid = carried(entry);
    if (pasid !== 0) of(pasid).users += 1;
  }
  for (const { pasid } of descriptors) of(pasid).users += 1;
  return holders;
}

function referencesWrong(pasid: HostPasid, { keepers, users }: Holders): string | null {
  const owed = keepers > 0 ? 'active' : users > 0 ? 'free-pending' : 'free';
  if (pasid.state !== owed)
    return `${printHostPasid(pasid)}: ${keepers} keep it and ${users} carry it, so it is ${owed}`;
  if (pasid.references !== keepers + users) return `${printHostPasid(pasid)}: ${keepers} keep it and ${users} carry it`;
  const { vm, guest } = freePasid(0);
  return pasid.state === 'free' && (pasid.vm !== vm || pasid.guest !== guest)
    ? `PASID ${pasid.pasid} is free and still of VM ${pasid.vm}`
    : null;
}
