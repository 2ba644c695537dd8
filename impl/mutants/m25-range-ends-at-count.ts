import type { Outcome, VfioSetIrqs } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** Silently less than was asked. */
class RangeEndsAtCount extends MdevMachine {
  protected override setBlock(mdev: number, operation: VfioSetIrqs): Outcome {
    const { start, count } = operation;
    // Where the size is fixed, the range is looked at before the loop.
    if (!this.host.dynamicMsix && this.mdevs.setUp[mdev] === 0) return super.setBlock(mdev, operation);
    return super.setBlock(mdev, { ...operation, count: Math.max(0, Math.min(count, count - start)) });
  }
}

export const m25: Mutant = {
  id: 'M25',
  title: 'SET_IRQS sets the vectors below count instead of those below start + count, and reports success',
  provenance: {
    system: 'idxd series',
    versions: 'May 2021',
    evidence: 'the loop of mdev_msix_set_vector_signals; also libvfio-user (75a0ac2)',
  },
  invariant: 'no-leak',
  tier: 'E',
  trap: 'a range that does not start at 0',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]'],
  },
  mdevs: () => new RangeEndsAtCount(),
};
