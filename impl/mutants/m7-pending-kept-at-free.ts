import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** What the entry has kept stays in it. */
class PendingKeptAtFree extends MdevMachine {
  protected override flush(_entry: number): void {}
}

export const m7: Mutant = {
  id: 'M7',
  title: 'the pending bit of an entry survives that it is freed',
  provenance: {
    system: 'any driver that frees a masked entry with its pending bit set',
    versions: '2020 to 2026',
    evidence: 'the bit is read only (DSA 3.0, 9.2), and no driver flushes it',
  },
  invariant: 'pasid-isolation',
  tier: 'M',
  trap: 'a completion on a masked entry before that is freed',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: [
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]',
      'guest.submit 0 dedicated 0 handle=0',
      'device.start 0',
      'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []',
    ],
  },
  mdevs: () => new PendingKeptAtFree(),
};
