import type { Guest } from '../optimised/guest.ts';
import { CONTROL } from '../optimised/guest-table.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { resetsGuest } from './traps.ts';

/** A table of zeroes, mask bits and all. */
class ResetLeavesUnmasked extends OptimisedMachine {
  protected override vfioPciReset(guest: Guest): void {
    super.vfioPciReset(guest);
    for (let vector = 0; vector < guest.device.msixVectors; vector += 1) guest.writeTable(vector, CONTROL, 0);
  }
}

export const s29: Mutant = {
  id: 'S29',
  title: 'a reset zeroes the table, so that every vector is unmasked after it',
  provenance: {
    system: 'idxd drivers with mediated devices; QEMU; Cloud Hypervisor; Kata dragonball',
    versions: '2020 to 2023; 2009 to 2015; 2020; live when it was read',
    evidence:
      'read (vidxd_mmio_init); ae1be0bbc1, 1f944c661a, 972ad21553; de88bef42; b129972e, whose own test asserts it',
  },
  invariant: 'reset-state',
  tier: 'E',
  trap: 'the table is read back after a reset',
  hasTrap: resetsGuest,
  shortest: {
    profile: 'linux-6.12+qemu-10.0',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['guest.reset'],
  },
  machine: () => new ResetLeavesUnmasked(),
};
