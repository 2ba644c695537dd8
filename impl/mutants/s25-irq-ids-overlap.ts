import { hostIrq, type Outcome } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import { mdevOf, placeOf } from '../optimised/mdev-vectors.ts';
import { OK } from '../optimised/outcomes.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** Two vectors share an irq of the host. */
class IrqIdsOverlap extends MdevMachine {
  protected override setVector(vector: number, slot: number): Outcome {
    const outcome = super.setVector(vector, slot);
    const entry = this.vectors.entry(vector);
    const place = placeOf(vector);
    if (outcome === OK && place >= 8) this.ims.setData(entry, hostIrq(mdevOf(vector), place & 7));
    return outcome;
  }
}

export const s25: Mutant = {
  id: 'S25',
  title: 'the number of an irq is built with overlapping bits: vector 8 of an mdev has that of vector 0, and so on',
  provenance: {
    system: 'Linux PCI/MSI',
    versions: '4.2 to 6.7',
    evidence: 'db744ddd59be: an id built with a shift of 32 bits, and two devices have one',
  },
  invariant: 'layers-agree',
  tier: 'H',
  trap: 'a table of more than eight vectors',
  hasTrap: ({ config }) => config.devices.some(({ msixVectors }) => msixVectors > 8),
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 8+1 [e1]'],
  },
  mdevs: () => new IrqIdsOverlap(),
};
