import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { hostRefuses } from './traps.ts';

/** What a failed enable gives back it does not forget. */
class FailedEnableReleasedTwice extends OptimisedMachine {
  protected override vfioMsixEnable(guest: Guest): void {
    super.vfioMsixEnable(guest);
    const { connected, device, strategy } = guest;
    if (device.msixEnable) return;
    for (let vector = connected.next(0); vector !== -1; vector = connected.next(vector + 1)) {
      const isAll = strategy === 'all-at-enable';
      this.kvmIrqfd(isAll ? guest.interruptEventfd(vector) : guest.irqfdEventfd(vector), false);
    }
  }
}

export const s16: Mutant = {
  id: 'S16',
  title: 'an enable that fails releases its vectors and leaves the array behind: the next disable releases them again',
  provenance: {
    system: 'QEMU vfio-pci',
    versions: 'up to 4.1',
    evidence: 'd964d3b5ab; here it is the irqfds that are released twice, and nothing is read after it was freed',
  },
  invariant: 'no-leak',
  tier: 'H',
  trap: 'an allocation of the host that fails, and a disable after it',
  hasTrap: hostRefuses,
  shortest: {
    profile: 'linux-6.1+qemu-7.2/irqfd',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['host.failAllocation 1', 'guest.unmask 0', 'guest.msixControl enable', 'guest.msixControl disable'],
  },
  machine: () => new FailedEnableReleasedTwice(),
};
