import type { DataElement } from '#vocabulary';
import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';

/** Whatever KVM has had once it gets again. */
class GrowthArmsMasked extends OptimisedMachine {
  protected override eventfdToEnable(guest: Guest, vector: number): DataElement {
    return guest.connected.has(vector) ? guest.irqfdEventfd(vector) : super.eventfdToEnable(guest, vector);
  }
}

export const s04: Mutant = {
  id: 'S04',
  title: 'growing the vector set arms masked vectors anew on the direct path to the guest',
  provenance: {
    system: 'QEMU vfio-pci',
    versions: '2.1',
    evidence: 'f4d45d4782 (Use KVM MSI-X masking) broke it, c048be5cc9 repaired it',
  },
  invariant: 'no-spurious-interrupt',
  tier: 'M',
  trap: 'a vector that is masked, another that is new, and then an event of the first',
  shortest: {
    profile: 'linux-6.1+qemu-7.2/irqfd',
    devices: [{ msixVectors: 2, whileOff: 'latches' }],
    operations: ['guest.msixControl enable', 'guest.unmask 0', 'guest.mask 0', 'guest.unmask 1', 'device.raise 0'],
  },
  machine: () => new GrowthArmsMasked(),
};
