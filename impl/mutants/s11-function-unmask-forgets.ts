import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { masksFunction } from './traps.ts';

/** Clearing Function Mask is only about vectors that somebody handles already. */
class FunctionUnmaskForgets extends OptimisedMachine {
  #isForAll = false;

  protected override msixWriteConfig(guest: Guest): void {
    this.#isForAll = true;
    super.msixWriteConfig(guest);
    this.#isForAll = false;
  }

  protected override vfioMsixVectorUse(guest: Guest, vector: number): void {
    if (!this.#isForAll || guest.handled.has(vector) || guest.connected.has(vector)) {
      super.vfioMsixVectorUse(guest, vector);
      return;
    }
    guest.waiting.delete(vector);
    guest.clearPending(vector);
  }
}

export const s11: Mutant = {
  id: 'S11',
  title: 'clearing Function Mask wipes what is pending of a vector that was never armed, and does not arm it',
  provenance: {
    system: 'crosvm',
    versions: 'since 95932f07b (2022), live when it was read',
    evidence: 'run against its msix code: all later events vanish as well',
  },
  invariant: 'no-lost-interrupt',
  tier: 'E',
  trap: 'a vector that is first unmasked under Function Mask',
  hasTrap: masksFunction,
  shortest: {
    profile: 'linux-6.1+all-at-enable/irqfd',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: [
      'guest.msixControl enable function-mask',
      'guest.unmask 0',
      'device.raise 0',
      'guest.msixControl enable',
    ],
  },
  machine: () => new FunctionUnmaskForgets(),
};
