import { MSIX_ENTRY_BYTES } from '#vocabulary';
import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { writesTable } from './traps.ts';

const CONTROL_OFFSET = 12;
const MASKED = 1;

/** Vector Control is not 0, so the vector is masked. */
class MaskFromTheWholeWord extends OptimisedMachine {
  protected override msixTableMmioWrite(guest: Guest, address: number, value: number): void {
    const isControl = address % MSIX_ENTRY_BYTES === CONTROL_OFFSET;
    super.msixTableMmioWrite(guest, address, isControl && value !== 0 ? (value | MASKED) >>> 0 : value);
  }
}

export const s30: Mutant = {
  id: 'S30',
  title: 'the whole word of Vector Control, and not its bit 0, says whether a vector is masked',
  provenance: {
    system: 'Linux PCI/MSI',
    versions: '4.3 to 5.4',
    evidence: 'e045fa29e893: the vendor bits of a word masked live vectors on resume; here it is the VMM that looks',
  },
  invariant: 'no-lost-interrupt',
  tier: 'M',
  trap: 'reserved bits that are set in Vector Control',
  hasTrap: writesTable,
  shortest: {
    profile: 'linux-6.1+all-at-enable',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['guest.msixControl enable', 'guest.tableWrite 0 +12/4 0x2', 'device.raise 0'],
  },
  machine: () => new MaskFromTheWholeWord(),
};
