import type { GuestRequestHandle, Outcome } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

const EINVAL = 22;

/** 16 bits of -22. */
class ErrnoAsHandle extends MdevMachine {
  protected override requestHandle(mdev: number, operation: GuestRequestHandle): Outcome {
    const outcome = super.requestHandle(mdev, operation);
    const { vector, ims } = operation;
    const hasNoEntry = ims !== true && vector > 0 && vector < this.vectorCount(mdev) && outcome.kind === 'status';
    return hasNoEntry ? this.outcomes.value(-EINVAL & 0xffff) : outcome;
  }
}

export const m24: Mutant = {
  id: 'M24',
  title: 'a request for the handle of a vector without an entry succeeds, with a number made of an errno',
  provenance: {
    system: 'idxd series and drivers',
    versions: 'May 2021 to 2023',
    evidence: 'dev_msi_hwirq and vfio_pci_ims_hwirq return -EINVAL, which is shifted into the result',
  },
  invariant: 'handle-validity',
  tier: 'E',
  trap: 'a handle that is requested before the vector has its trigger',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['guest.requestHandle 1'],
  },
  mdevs: () => new ErrnoAsHandle(),
};
