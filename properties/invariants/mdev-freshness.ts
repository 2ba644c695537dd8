import { ARMED, type ImsEntry } from '#vocabulary';
import { at, backingEntry, type FollowedMdev, mdevOf, vectorsSeen } from './followed-parent.ts';
import type { Breach } from './invariant.ts';
import { carried } from './mdev-entries.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/**
 * An entry carries what MSIX_PERM and the bindings of its guest said when the host last had to look: when the vector
 * got its trigger, and by `permSync` at its unmasking or at once. What the guest gave back is closed in any case.
 * Judged when the entry changed, or what it is to carry.
 */
export function freshnessBreaches(moment: MdevMoment, breaches: Breach[]): void {
  const { before, after, index } = moment;
  for (let device = 0; device < after.mdevs.length; device += 1) {
    const [old, mdev] = [mdevOf(before, device), mdevOf(after, device)];
    if (old === mdev && before.entries === after.entries && index > 0) continue;
    for (let vector = vectorsSeen(old, mdev) - 1; vector > 0; vector -= 1) {
      const wrong = isJudged(moment, device, vector) ? vectorWrong(moment, device, vector) : null;
      if (wrong !== null) breaches.push(breach(moment, wrong, at(old.at, vector), at(mdev.at, vector)));
    }
  }
}

function isJudged({ before, after, index }: MdevMoment, device: number, vector: number): boolean {
  const old = mdevOf(before, device);
  const mdev = mdevOf(after, device);
  if (index === 0 || at(old.sampled, vector) !== at(mdev.sampled, vector)) return true;
  if (at(old.states, vector) !== at(mdev.states, vector)) return true;
  return backingEntry(before, device, vector) !== backingEntry(after, device, vector);
}

function vectorWrong({ config, after }: MdevMoment, device: number, vector: number): string | null {
  const mdev = mdevOf(after, device);
  const entry = backingEntry(after, device, vector);
  if (entry === undefined) return null;
  const pasid = carried(entry);
  if ((at(mdev.states, vector) & ARMED) !== 0) {
    const owed = at(mdev.sampled, vector);
    if (pasid === owed) return null;
    const looked = 'by what its guest had written when that was last looked at';
    return `${nameOf(entry)} ${lets(pasid)} and is to ${owed === 0 ? 'be closed' : `let ${owed} through`}, ${looked}`;
  }
  if (pasid === 0 || isDefault(config.mdev.allocation, mdev, pasid)) return null;
  return `${nameOf(entry)} ${lets(pasid)} without a trigger`;
}

function nameOf({ entry, vector, device }: ImsEntry): string {
  return `entry ${entry} of vector ${vector} of mdev ${device}`;
}

function isDefault(allocation: string, { defaultPasid }: FollowedMdev, pasid: number): boolean {
  return allocation === 'all-default' && pasid === defaultPasid;
}

function lets(pasid: number): string {
  return pasid === 0 ? 'is closed' : `lets PASID ${pasid} through`;
}
