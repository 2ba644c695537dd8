import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** What a crash leaves. */
class CloseForgets extends MdevMachine {
  #closes = false;

  protected override closeMdev(mdev: number): void {
    this.#closes = true;
    super.closeMdev(mdev);
    this.#closes = false;
  }

  protected override disableAll(mdev: number): void {
    if (!this.#closes) super.disableAll(mdev);
  }
}

export const m20: Mutant = {
  id: 'M20',
  title: 'closing an mdev whose user has disabled nothing leaves its entries and triggers',
  provenance: {
    system: 'idxd RFC',
    versions: 'July 2020',
    evidence: 'a comment names the crash of the VMM as a case still to be handled',
  },
  invariant: 'no-leak',
  tier: 'E',
  trap: 'a close without a disable',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]', 'vfio.close'],
  },
  mdevs: () => new CloseForgets(),
};
