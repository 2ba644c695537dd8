import { ARMED, IMS_IGNORE, IMS_MASK, type ImsEntry, printImsEntry, UNMASKED } from '#vocabulary';
import { at, entryOf, mdevOf } from './followed-parent.ts';
import type { Breach, Invariant, MdevWatch } from './invariant.ts';
import { carried } from './mdev-entries.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** Mask, PASID and Ignore of an entry are three things, each with its own cause. */
export const maskIndependence: Invariant = {
  id: 'mask-independence',
  promise:
    'Masking and unmasking leave PASID, PASID Enable, Ignore and message of an entry alone, but for what a host ' +
    'looks at when a vector is unmasked; an entry is unmasked exactly while it lets a PASID through and its vector ' +
    'has a trigger and is not masked, and it ignores exactly what MSIX_PERM says while it lets one through.',
  source: 'DSA 3.0, 7.5.4 and 9.2; PCIe 6.0, 6.1.4.2; generic IMS irqchip, 2020, of the control word',
  startMdev: (): MdevWatch => (moment) => {
    const breaches: Breach[] = [];
    if (!moment.still) {
      entries(moment, breaches);
      masking(moment, breaches);
    }
    maskBits(moment, breaches);
    return breaches;
  },
};

function entries(moment: MdevMoment, breaches: Breach[]): void {
  const { config, before, after, index } = moment;
  if (before.entries === after.entries && before.mdevs === after.mdevs && index > 0) return;
  for (let place = 0; place < after.entries.length; place += 1) {
    const entry = entryOf(after, place);
    const { device, vector } = entry;
    const mdev = after.mdevs[device];
    const old = before.mdevs[device];
    if (mdev === undefined || old === undefined) continue;
    const state = at(mdev.states, vector);
    const same = before.entries[place] === entry && state === at(old.states, vector);
    const samePerm = at(mdev.written, vector) === at(old.written, vector);
    if (same && samePerm && index > 0) continue;
    const needed = config.vmm === undefined ? ARMED | UNMASKED : ARMED;
    const open = carried(entry) !== 0;
    const wrong = entryWrong(entry, open && (state & needed) === needed, open ? at(mdev.written, vector) : 0);
    if (wrong !== null) breaches.push(breach(moment, wrong, at(old.at, vector), at(after.entriesAt, place)));
  }
}

function entryWrong(entry: ImsEntry, unmasked: boolean, perm: number): string | null {
  const isUnmasked = (entry.control & IMS_MASK) === 0;
  if (isUnmasked !== unmasked) return `${printImsEntry(entry)} is to be ${unmasked ? 'unmasked' : 'masked'}`;
  const [ignores, owed] = [entry.control & IMS_IGNORE, perm & IMS_IGNORE];
  return ignores === owed ? null : `${printImsEntry(entry)} is to ${owed === 0 ? 'ignore nothing' : 'ignore'}`;
}

/** What a write to a vector's mask bit did beside it. */
function masking(moment: MdevMoment, breaches: Breach[]): void {
  const { config, operation, before, after, changes } = moment;
  if (operation.kind !== 'guest.mask' && operation.kind !== 'guest.unmask') return;
  if (config.vmm !== undefined) return;
  const looks = operation.kind === 'guest.unmask' && config.mdev.permSync !== 'atEnable';
  for (const change of changes) {
    if (change.kind !== 'entry') continue;
    const { old, now } = change;
    const its = now.device === operation.device && now.vector === operation.vector;
    const kept = looks ? true : carried(old) === carried(now) && ((old.control ^ now.control) & IMS_IGNORE) === 0;
    const owner = entryOf(before, now.entry).device === entryOf(after, now.entry).device && old.vector === now.vector;
    if (its && kept && owner && old.data === now.data && old.handle === now.handle) continue;
    breaches.push(breach(moment, `${operation.kind} made ${printImsEntry(now)} of ${printImsEntry(old)}`));
  }
}

/** The mask bit that the guest reads is the one that it has written. */
function maskBits(moment: MdevMoment, breaches: Breach[]): void {
  const { config, operation, step, after, changes } = moment;
  if (config.vmm !== undefined) return;
  const writes = operation.kind === 'guest.mask' || operation.kind === 'guest.unmask' ? operation : null;
  for (const change of changes) {
    if (change.kind !== 'vector' || ((change.old ^ change.now) & UNMASKED) === 0) continue;
    const { device, vector, now } = change;
    const its = writes?.device === device && writes.vector === vector;
    const resets = operation.kind === 'vfio.reset' && operation.device === device;
    const masks = resets || mdevOf(after, device).life !== 'open';
    if (its || ((now & UNMASKED) === 0 && masks)) continue;
    breaches.push(
      breach(
        moment,
        `vector ${vector} of mdev ${device} was ${(now & UNMASKED) === 0 ? '' : 'un'}masked, and nobody asked`,
      ),
    );
  }
  if (writes === null || step.outcome.kind !== 'ok') return;
  const { device, vector, kind } = writes;
  const unmasked = (at(mdevOf(after, device).states, vector) & UNMASKED) !== 0;
  if (unmasked !== (kind === 'guest.unmask'))
    breaches.push(breach(moment, `${kind} ${vector} left the mask bit of mdev ${device} as it was`));
}
