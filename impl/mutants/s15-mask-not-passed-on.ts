import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';

/** Only an unmask is worth an update. */
class MaskNotPassedOn extends OptimisedMachine {
  protected override msixHandleMaskUpdate(guest: Guest, vector: number, wasMasked: boolean): void {
    if (!guest.isMasked(vector)) super.msixHandleMaskUpdate(guest, vector, wasMasked);
  }
}

export const s15: Mutant = {
  id: 'S15',
  title: 'masking an active vector does not take it from KVM: interrupts keep arriving while it is masked',
  provenance: {
    system: 'Cloud Hypervisor',
    versions: 'since 89a2562c5 (v28, 2022), live when it was read',
    evidence: 'run against its interrupt code',
  },
  invariant: 'no-spurious-interrupt',
  tier: 'E',
  trap: 'an event while its vector is masked, on the direct path',
  shortest: {
    profile: 'linux-6.1+all-at-enable/irqfd',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['guest.msixControl enable', 'guest.unmask 0', 'guest.mask 0', 'device.raise 0'],
  },
  machine: () => new MaskNotPassedOn(),
};
