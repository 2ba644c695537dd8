import { NONE } from '../optimised/ims-table.ts';
import { AfterMask } from './after-mask.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** The interrupt goes to the neighbour. */
class MaskInTheData extends AfterMask {
  protected override afterMask(vector: number): void {
    const entry = this.vectors.entry(vector);
    if (entry === NONE || !this.hasTrigger(vector)) return;
    const data = this.ims.data[entry] as number;
    this.ims.setData(entry, this.isMasked(vector) ? data | 1 : data & ~1);
  }
}

export const m10: Mutant = {
  id: 'M10',
  title: 'masking and unmasking write bit 0 of Message Data',
  provenance: {
    system: 'idxd series and drivers',
    versions: 'May 2021 to 2023',
    evidence: 'the mask is written to entry + 8, where the layout has the data',
  },
  invariant: 'mask-independence',
  tier: 'E',
  trap: 'a vector that is masked or unmasked while it has its trigger',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]', 'guest.unmask 1'],
  },
  mdevs: () => new MaskInTheData(),
};
