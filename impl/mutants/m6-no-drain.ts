import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** Nobody waits for what has passed the check. */
class NoDrain extends MdevMachine {
  protected override quiesce(_entry: number): void {}
}

export const m6: Mutant = {
  id: 'M6',
  title: 'an entry is closed, programmed or given away while descriptors that passed its check are on their way',
  provenance: {
    system: 'every published idxd mdev driver',
    versions: '2020 to 2023',
    evidence: 'no path that disables a vector drains',
  },
  invariant: 'pasid-isolation',
  tier: 'M',
  trap: 'a descriptor that is begun before and ends after something else',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: [
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]',
      'guest.submit 0 dedicated 0 handle=0',
      'device.start 0',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [-1]',
    ],
  },
  mdevs: () => new NoDrain(),
};
