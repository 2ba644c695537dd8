import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** The old process can fire the vector of the new kernel. */
class ResetOfTheShadow extends MdevMachine {
  protected override resetEntry(vector: number, entry: number): void {
    this.ims.setHandle(entry, false);
    this.forgetKept(entry);
    this.setMask(vector, entry);
  }
}

export const m19: Mutant = {
  id: 'M19',
  title: 'a reset clears MSIX_PERM as the guest reads it, and leaves the PASID in the entry',
  provenance: {
    system: 'idxd series and drivers',
    versions: 'May 2021 to 2023',
    evidence: 'vidxd_reset clears the virtual registers only',
  },
  invariant: 'reset-state',
  tier: 'M',
  trap: 'a reset while a vector uses a PASID of the guest',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: [
      'guest.bindPasid 3',
      'guest.msixPerm 1 on 3',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]',
      'vfio.reset',
    ],
  },
  mdevs: () => new ResetOfTheShadow(),
};
