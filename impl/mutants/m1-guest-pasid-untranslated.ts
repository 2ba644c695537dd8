import { IMS_PASID_ENABLE, PASID_SHIFT } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import { mdevOf } from '../optimised/mdev-vectors.ts';
import { ACTIVE, NO_PASID } from '../optimised/pasid-table.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** The number of the guest is taken for one of the host. */
class GuestPasidUntranslated extends MdevMachine {
  protected override want(vector: number): number {
    const perm = this.vectors.permOf(vector);
    const named = perm >>> (PASID_SHIFT & 31);
    const isNamed = (perm & IMS_PASID_ENABLE) !== 0 && this.translate(mdevOf(vector), named) === NO_PASID;
    return isNamed && this.pasids.state(named) === ACTIVE ? named : super.want(vector);
  }
}

export const m1: Mutant = {
  id: 'M1',
  title: 'a guest PASID that is not bound reaches the entry as it is where the host has one of that number',
  provenance: {
    system: 'an out-of-tree idxd driver with IMS',
    versions: '2026',
    evidence: 'its look-up falls back to identity for a PASID that is attached',
  },
  invariant: 'pasid-isolation',
  tier: 'M',
  trap: 'guest PASIDs with the number of a live host PASID',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['guest.msixPerm 1 on 2', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]'],
  },
  mdevs: () => new GuestPasidUntranslated(),
};
