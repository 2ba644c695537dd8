import { MdevMachine } from '../optimised/mdev-machine.ts';
import { mdevOf } from '../optimised/mdev-vectors.ts';
import { NO_PASID } from '../optimised/pasid-table.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** A PASID that is not bound is refused all the same. */
class PermIgnored extends MdevMachine {
  protected override want(vector: number): number {
    const wanted = super.want(vector);
    return wanted === NO_PASID ? wanted : this.defaultPasid(mdevOf(vector));
  }
}

export const m15: Mutant = {
  id: 'M15',
  title: 'MSIX_PERM is stored and never looked at: every entry has the default PASID',
  provenance: {
    system: 'idxd RFC and series',
    versions: 'July 2020 to May 2021',
    evidence: 'vidxd_setup_ims_entry takes the default PASID of the mdev',
  },
  invariant: 'pasid-isolation',
  tier: 'E',
  trap: 'a vector whose MSIX_PERM names a bound PASID',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['guest.bindPasid 3', 'guest.msixPerm 1 on 3', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]'],
  },
  mdevs: () => new PermIgnored(),
};
