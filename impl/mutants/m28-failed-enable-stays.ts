import type { Outcome, VfioSetIrqs } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** The next enable or free acts on half a state. */
class FailedEnableStays extends MdevMachine {
  #hasFailed = false;

  protected override setBlock(mdev: number, operation: VfioSetIrqs): Outcome {
    this.#hasFailed = false;
    const outcome = super.setBlock(mdev, operation);
    this.#hasFailed = false;
    return outcome;
  }

  protected override requestHostIrq(): boolean {
    const granted = super.requestHostIrq();
    this.#hasFailed ||= !granted;
    return granted;
  }

  protected override freeEntry(vector: number): void {
    if (!this.#hasFailed) super.freeEntry(vector);
    else this.adopt(vector, this.vectors.entry(vector), this.want(vector));
  }

  /** Nothing of a call that fails for this is undone. */
  protected override disableAll(mdev: number): void {
    if (!this.#hasFailed) super.disableAll(mdev);
  }
}

export const m28: Mutant = {
  id: 'M28',
  title: 'a vector whose irq cannot be had keeps the entry and the PASID that it was given',
  provenance: {
    system: 'idxd series and drivers',
    versions: 'October 2020 to 2021',
    evidence: 'the error paths of the trigger functions: one leaks the eventfd, one leaves the PASID',
  },
  invariant: 'error-state-documented',
  tier: 'H',
  trap: 'an irq of the host that cannot be had',
  hasTrap: ({ operations }) => operations.some(({ kind }) => kind === 'host.failAllocation'),
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['host.failAllocation 1', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]'],
  },
  mdevs: () => new FailedEnableStays(),
};
