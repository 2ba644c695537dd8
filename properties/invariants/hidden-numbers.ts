import { type Event, INVALID_INTERRUPT_HANDLE } from '#vocabulary';
import { at, descriptorOf, mdevOf } from './followed-parent.ts';
import { type Breach, type Invariant, KEPT, type MdevWatch } from './invariant.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** What a guest can read is in its own numbers and about its own doings. */
export const hiddenNumbers: Invariant = {
  id: 'hidden-numbers',
  promise:
    'A guest reads host PASIDs nowhere: MSIX_PERM reads as it was written, as far as it has bits, and SWERROR shows, ' +
    'to the mdev that submitted a descriptor that was refused and to no other, the PASID that was submitted.',
  source: 'DSA 3.0, 7.5.8 and 9.2; /dev/ioasid and /dev/iommu RFCs, 2021, of virtual and physical PASIDs',
  startMdev: (): MdevWatch => (moment) => {
    if (moment.still) return KEPT;
    const breaches: Breach[] = [];
    permsRead(moment, breaches);
    if (moment.step.events.length > 0) errorsRead(moment, breaches);
    return breaches;
  },
};

function permsRead(moment: MdevMoment, breaches: Breach[]): void {
  const { before, after, index } = moment;
  for (let device = 0; device < after.mdevs.length; device += 1) {
    const [old, mdev] = [mdevOf(before, device), mdevOf(after, device)];
    if (old === mdev && index > 0) continue;
    for (let vector = Math.max(mdev.perms.length, mdev.written.length) - 1; vector >= 0; vector -= 1) {
      const [reads, wrote] = [at(mdev.perms, vector), at(mdev.written, vector)];
      const same = reads === at(old.perms, vector) && wrote === at(old.written, vector);
      if (reads === wrote || (same && index > 0)) continue;
      const name = `MSIX_PERM of vector ${vector} of mdev ${device}`;
      breaches.push(breach(moment, `${name} was written as 0x${wrote.toString(16)} and reads 0x${reads.toString(16)}`));
    }
  }
}

function errorsRead(moment: MdevMoment, breaches: Breach[]): void {
  const { events } = moment.step;
  const errors = events.filter((event) => event.kind === 'error');
  const refused = events.filter(isRefusal);
  for (const [place, { device, descriptor }] of refused.entries()) {
    const error = errors[place];
    const known = descriptorOf(moment.before, descriptor);
    if (error === undefined) {
      breaches.push(
        breach(moment, `descriptor ${descriptor} of mdev ${device} was refused, and SWERROR does not say so`),
      );
      continue;
    }
    if (error.device !== device)
      breaches.push(
        breach(moment, `mdev ${device} submitted descriptor ${descriptor} and mdev ${error.device} reads of it`),
      );
    if (known === undefined) continue;
    const owed = known.asked.queue === 'dedicated' ? 0 : known.asked.pasid;
    if (error.pasid !== owed)
      breaches.push(
        breach(
          moment,
          `SWERROR of mdev ${device} shows PASID ${error.pasid}, and its guest knows ${owed}`,
          known.submittedAt + 1,
        ),
      );
  }
  if (errors.length > refused.length)
    breaches.push(
      breach(moment, `SWERROR shows ${errors.length} errors, and ${refused.length} descriptors were refused`),
    );
}

function isRefusal(event: Event): event is Event & { kind: 'completed' } {
  return event.kind === 'completed' && event.status === INVALID_INTERRUPT_HANDLE;
}
