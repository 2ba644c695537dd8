import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** The guest submits with a handle that is somebody else's by now. */
class MovedWithoutWord extends MdevMachine {
  protected override revokeOther(_vector: number, _entry: number): void {}
}

export const m22: Mutant = {
  id: 'M22',
  title: 'a vector that comes back with another entry leaves the guest with the old handle, and nobody says so',
  provenance: {
    system: 'idxd drivers, and the RFC on IMS in vfio-pci',
    versions: '2022 and 2023',
    evidence: 'entries are freed and allocated at each enable; nothing revokes',
  },
  invariant: 'handle-validity',
  tier: 'M',
  trap: 'another mdev that takes the entry between two enables of a vector',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: [
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+2 [e1 e2]',
      'guest.requestHandle 2',
      'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 2+1 [e2]',
    ],
  },
  mdevs: () => new MovedWithoutWord(),
};
