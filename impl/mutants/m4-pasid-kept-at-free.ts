import { IMS_PASID_ENABLE } from '#vocabulary';
import { NONE } from '../optimised/ims-table.ts';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import { NO_PASID } from '../optimised/pasid-table.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** The reference is kept as well, so that the books agree with the hardware. */
class PasidKeptAtFree extends MdevMachine {
  protected override disable(vector: number): void {
    const entry = this.vectors.entry(vector);
    const pasid = entry === NONE || !this.ims.has(entry, IMS_PASID_ENABLE) ? NO_PASID : this.ims.pasid(entry);
    super.disable(vector);
    if (pasid === NO_PASID || this.vectors.entry(vector) !== NONE) return;
    this.takeReference(pasid);
    this.ims.setPasid(entry, pasid);
  }
}

export const m4: Mutant = {
  id: 'M4',
  title: 'an entry that is freed keeps its PASID and PASID Enable',
  provenance: {
    system: 'idxd RFC',
    versions: 'April 2020',
    evidence: 'vdev.c clears nothing at free; the same of MSIXPERM on the host, 6df0e6c57dfc',
  },
  invariant: 'pasid-isolation',
  tier: 'E',
  trap: 'an entry that is freed',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 1+3 [e0 e0 e0]'],
  },
  mdevs: () => new PasidKeptAtFree(),
};
