import { VFIO_PCI_MSIX_IRQ_INDEX } from '#vocabulary';
import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { hostRefuses } from './traps.ts';

/** Where the host has no vector left the one that cannot be added is tried again the old way, and nobody looks. */
class RefusedGrowthKillsAll extends OptimisedMachine {
  protected override setTriggerOf(guest: Guest, vector: number, toIrqfd: boolean): void {
    super.setTriggerOf(guest, vector, toIrqfd);
    if (guest.strategy !== 'dynamic' || guest.device.isArmed(vector) || this.freeVectors > 0) return;
    this.vfioDisableIrqindex(guest, VFIO_PCI_MSIX_IRQ_INDEX);
    this.vfioEnableVectors(guest);
  }
}

export const s09: Mutant = {
  id: 'S09',
  title: 'growth that the host refuses tears all vectors down, enabling them again fails, and success is reported',
  provenance: {
    system: 'QEMU vfio-pci',
    versions: '7.2 to 11 (development)',
    evidence:
      'read in vfio_msix_vector_do_use; what QEMU does where NORESIZE is set is known and expected there, so this ' +
      'falls back to it where vectors can be added',
  },
  invariant: 'no-lost-interrupt',
  tier: 'H',
  trap: 'a host that has too few vectors',
  hasTrap: hostRefuses,
  shortest: {
    profile: 'linux-6.12+qemu-10.0',
    devices: [{ msixVectors: 2, whileOff: 'drops' }],
    operations: [
      'guest.unmask 0',
      'guest.msixControl enable',
      'host.limitVectors 0',
      'guest.unmask 1',
      'device.raise 0',
    ],
  },
  machine: () => new RefusedGrowthKillsAll(),
};
