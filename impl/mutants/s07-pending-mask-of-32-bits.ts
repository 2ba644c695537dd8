import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { hasMoreThan } from './traps.ts';

const WORD_BITS = 64;
const SIGN_BIT = 31;

/** `1 << (vector % 64)` is worked out in 32 bits, sign and all, before it is a word of 64. */
class PendingMaskOf32Bits extends OptimisedMachine {
  protected override guestMsixNotify(guest: Guest, vector: number): void {
    const bit = vector % WORD_BITS;
    if (bit < SIGN_BIT || !guest.used.has(vector) || !guest.isMasked(vector)) super.guestMsixNotify(guest, vector);
    else for (const marked of marks(bit)) this.#mark(guest, vector - bit + marked);
  }

  #mark(guest: Guest, vector: number): void {
    if (vector < guest.device.msixVectors) guest.setPending(vector);
  }
}

/** The bits that are set in the word for one of the upper half. */
function marks(bit: number): readonly number[] {
  const shifted = bit & SIGN_BIT;
  if (shifted !== SIGN_BIT) return [shifted];
  return Array.from({ length: WORD_BITS - SIGN_BIT }, (_, place) => SIGN_BIT + place);
}

export const s07: Mutant = {
  id: 'S07',
  title: 'the pending bit of a vector from 31 on is built in 32 bits: others are marked, and its own event is lost',
  provenance: {
    system: 'Cloud Hypervisor; crosvm',
    versions: 'since d810c7712 (2019), live when it was read; since 1f20497b86 (2019), live when it was read',
    evidence: 'run against the msix code of both; crosvm aborts of it',
  },
  invariant: 'no-lost-interrupt',
  tier: 'H',
  trap: 'a table of more than 31 vectors, and an event of one of the later ones while it is masked',
  hasTrap: hasMoreThan(SIGN_BIT),
  shortest: {
    profile: 'linux-6.1+all-at-enable',
    devices: [{ msixVectors: 33, whileOff: 'latches' }],
    operations: ['guest.msixControl enable', 'device.raise 32', 'guest.unmask 32'],
  },
  machine: () => new PendingMaskOf32Bits(),
};
