import { type Outcome, VFIO_PCI_MSIX_IRQ_INDEX } from '#vocabulary';
import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import { OK } from '../optimised/outcomes.ts';
import type { Mutant } from './mutant.ts';
import { turnsOff } from './traps.ts';

/** Where no vector was used there seems nothing to disable. */
class UnusedIndexNotReleased extends OptimisedMachine {
  #isUnused = false;

  protected override vfioMsixDisable(guest: Guest): void {
    this.#isUnused = guest.used.next(0) === -1;
    super.vfioMsixDisable(guest);
    this.#isUnused = false;
  }

  protected override vfioDisableIrqindex(guest: Guest, index: number): Outcome {
    if (this.#isUnused && index === VFIO_PCI_MSIX_IRQ_INDEX) return OK;
    return super.vfioDisableIrqindex(guest, index);
  }
}

export const s13: Mutant = {
  id: 'S13',
  title: 'MSI-X that is enabled with no vector in use is not released when it is disabled, and INTx is refused',
  provenance: {
    system: 'QEMU vfio-pci',
    versions: '8.2',
    evidence: 'd2b668fca5, RHEL-21293',
  },
  invariant: 'no-leak',
  tier: 'E',
  trap: 'MSI-X turned on and off with nothing in between',
  hasTrap: turnsOff,
  shortest: {
    profile: 'linux-6.12+qemu-10.0',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['guest.msixControl enable', 'guest.msixControl disable'],
  },
  machine: () => new UnusedIndexNotReleased(),
};
