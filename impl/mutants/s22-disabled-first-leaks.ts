import type { EventfdName } from '#vocabulary';
import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { turnsOff } from './traps.ts';

/** Vectors are released by those who still see MSI-X on. */
class DisabledFirstLeaks extends OptimisedMachine {
  #isOff = false;

  protected override vfioMsixDisable(guest: Guest): void {
    this.#isOff = !guest.enable;
    super.vfioMsixDisable(guest);
    this.#isOff = false;
  }

  protected override kvmIrqfd(eventfd: EventfdName, assign: boolean): void {
    if (assign || !this.#isOff) super.kvmIrqfd(eventfd, assign);
  }
}

export const s22: Mutant = {
  id: 'S22',
  title: 'a guest that clears Enable first leaves its vectors unreleased: their routes and irqfds leak',
  provenance: {
    system: 'QEMU vfio-pci; QEMU ivshmem',
    versions: 'up to 1.7; up to 2.11',
    evidence: '3e40ba0faf; 089fd80376, e6a354be6e, 0b88dd9420, a40227911c',
  },
  invariant: 'no-leak',
  tier: 'M',
  trap: 'what KVM has is counted after a disable',
  hasTrap: turnsOff,
  shortest: {
    profile: 'linux-6.12+qemu-10.0/irqfd',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['guest.msixControl enable', 'guest.unmask 0', 'guest.msixControl disable'],
  },
  machine: () => new DisabledFirstLeaks(),
};
