import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';

/** Putting a vector to use is all that its first unmask does. */
class FirstUseForgets extends OptimisedMachine {
  #isUnmask = false;

  protected override msixTableMmioWrite(guest: Guest, address: number, value: number): void {
    this.#isUnmask = true;
    super.msixTableMmioWrite(guest, address, value);
    this.#isUnmask = false;
  }

  protected override vfioMsixVectorUse(guest: Guest, vector: number): void {
    const isFirst = this.#isUnmask && !guest.handled.has(vector);
    super.vfioMsixVectorUse(guest, vector);
    if (isFirst) guest.waiting.delete(vector);
  }
}

export const s05: Mutant = {
  id: 'S05',
  title: 'the first unmask of a vector allocates its interrupt and returns, without a look at what was pending',
  provenance: {
    system: 'crosvm',
    versions: 'since 95932f07b (2022), live when it was read',
    evidence: 'run against its msix code: an event before the first unmask never comes',
  },
  invariant: 'no-lost-interrupt',
  tier: 'E',
  trap: 'an event before the first unmask',
  shortest: {
    profile: 'linux-6.12+qemu-10.0',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['guest.msixControl enable', 'device.raise 0', 'guest.unmask 0'],
  },
  machine: () => new FirstUseForgets(),
};
