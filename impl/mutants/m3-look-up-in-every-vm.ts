import { IMS_PASID_ENABLE, PASID_SHIFT } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import { mdevOf } from '../optimised/mdev-vectors.ts';
import { NO_PASID } from '../optimised/pasid-table.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** Where its own VM has not bound the guest PASID, that of another one is taken. */
class LookUpInEveryVm extends MdevMachine {
  protected override want(vector: number): number {
    const perm = this.vectors.permOf(vector);
    const wanted = super.want(vector);
    if ((perm & IMS_PASID_ENABLE) === 0 || this.translate(mdevOf(vector), perm >>> (PASID_SHIFT & 31)) !== NO_PASID)
      return wanted;
    for (let vm = 0; vm < this.mdevs.vmCount; vm += 1) {
      const pasid = this.pasids.translate(vm, perm >>> (PASID_SHIFT & 31));
      if (pasid !== NO_PASID) return pasid;
    }
    return wanted;
  }
}

export const m3: Mutant = {
  id: 'M3',
  title: 'the guest PASID of a vector is looked up in the maps of all VMs',
  provenance: {
    system: 'idxd drivers with vSVM',
    versions: '2021 to 2023',
    evidence: 'the map is found by the current task, which in a work item is not the guest',
  },
  invariant: 'pasid-isolation',
  tier: 'M',
  trap: 'two VMs that use one guest PASID',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['guest.msixPerm 1 on 3', 'guest.bindPasid 3 @1', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]'],
  },
  mdevs: () => new LookUpInEveryVm(),
};
