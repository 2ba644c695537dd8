import { IMS_MASK, IMS_PASID_ENABLE, type ImsEntry, PASID_SHIFT, printImsEntry } from '#vocabulary';
import {
  at,
  cleanEntry,
  entryOf,
  type FollowedParent,
  freePasid,
  type MdevConfig,
  mdevOf,
  pasidOf,
  vmOf,
} from './followed-parent.ts';
import type { Breach } from './invariant.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** The host PASID that an entry lets through; 0 for one that is closed. */
export function carried({ control }: ImsEntry): number {
  return (control & IMS_PASID_ENABLE) === 0 ? 0 : control >>> PASID_SHIFT;
}

/**
 * What an entry says of itself: it is its owner's and nobody else's, and lets through PASIDs of its owner's VM only,
 * and nothing while it has no owner. Judged when the entry changed, or the PASID that it carries.
 */
export function entryBreaches(moment: MdevMoment, breaches: Breach[]): void {
  const { config, before, after, index } = moment;
  for (let place = 0; place < after.entries.length; place += 1) {
    const entry = entryOf(after, place);
    const pasid = entry.control >>> PASID_SHIFT;
    const same = before.entries[place] === entry && before.pasids[pasid] === after.pasids[pasid];
    if (same && index > 0) continue;
    const wrong = entryWrong(config, after, entry);
    if (wrong !== null) breaches.push(breach(moment, wrong, at(after.entriesAt, place), at(after.pasidsAt, pasid)));
  }
}

function entryWrong(config: MdevConfig, parent: FollowedParent, entry: ImsEntry): string | null {
  const { device, vector, control, data, handle } = entry;
  if (device === -1) {
    const clean = cleanEntry(entry.entry);
    const isClean = control === IMS_MASK && data === 0 && vector === clean.vector && !handle;
    return isClean ? null : `nobody has an entry and it is not clean: ${printImsEntry(entry)}`;
  }
  const wrong = ownedWrong(config, parent, entry);
  return wrong === null ? null : `entry ${entry.entry} of vector ${vector} of mdev ${device} ${wrong}`;
}

function ownedWrong(config: MdevConfig, parent: FollowedParent, entry: ImsEntry): string | null {
  const { device, vector, control } = entry;
  const has = config.devices[device]?.msixVectors ?? 0;
  if (vector < 1 || vector >= has) return 'backs a vector that can have no entry';
  const backing = at(mdevOf(parent, device).backing, vector);
  if (backing !== entry.entry + 1) return `is not its only one: it has entry ${backing - 1} as well`;
  const pasid = control >>> PASID_SHIFT;
  if ((control & IMS_PASID_ENABLE) === 0) return pasid === 0 ? null : `is closed and still holds PASID ${pasid}`;
  return pasidWrong(config, parent, entry);
}

function pasidWrong(config: MdevConfig, parent: FollowedParent, entry: ImsEntry): string | null {
  const pasid = carried(entry);
  const { state, vm, guest } = pasid === 0 ? freePasid(0) : pasidOf(parent, pasid);
  if (state === 'free') return `lets PASID ${pasid} through, which nobody has`;
  const own = vmOf(config, entry.device);
  if (vm !== own) return `is of VM ${own} and lets PASID ${pasid} of VM ${vm} through`;
  const { defaultPasid } = mdevOf(parent, entry.device);
  if (guest === 0 && pasid !== defaultPasid)
    return `lets default PASID ${pasid} through, and that of its mdev is ${defaultPasid}`;
  return null;
}
