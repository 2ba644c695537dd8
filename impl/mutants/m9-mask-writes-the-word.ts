import { IMS_IGNORE, IMS_PASID_ENABLE } from '#vocabulary';
import { NONE } from '../optimised/ims-table.ts';
import { NO_PASID } from '../optimised/pasid-table.ts';
import { AfterMask } from './after-mask.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** What was in the word beside the mask is gone. */
class MaskWritesTheWord extends AfterMask {
  protected override afterMask(vector: number): void {
    const entry = this.vectors.entry(vector);
    if (entry === NONE || !this.hasTrigger(vector) || !this.ims.has(entry, IMS_PASID_ENABLE)) return;
    const pasid = this.ims.pasid(entry);
    this.ims.setPasid(entry, NO_PASID);
    this.ims.clear(entry, IMS_IGNORE);
    this.dropReference(pasid);
  }
}

export const m9: Mutant = {
  id: 'M9',
  title: 'masking and unmasking write the whole control word of the entry from the mask alone',
  provenance: {
    system: 'idxd RFC',
    versions: 'April 2020',
    evidence: 'the mask functions of vdev.c',
  },
  invariant: 'mask-independence',
  tier: 'E',
  trap: 'a vector that is masked or unmasked while it has its trigger',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]', 'guest.unmask 1'],
  },
  mdevs: () => new MaskWritesTheWord(),
};
