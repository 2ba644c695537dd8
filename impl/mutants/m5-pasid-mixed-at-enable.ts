import { type Config, IMS_IGNORE, IMS_MASK, IMS_PASID_ENABLE } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** Either line alone does no harm: the two were in one driver. */
class PasidMixedAtEnable extends MdevMachine {
  /** The PASID that was meant, by entry: what the driver has a reference to. */
  readonly #meant = new Map<number, number>();

  protected override start(config: Config): void {
    this.#meant.clear();
    super.start(config);
  }

  protected override closeEntry(entry: number): void {
    this.quiesce(entry);
    this.flush(entry);
    this.ims.set(entry, IMS_MASK);
    this.ims.clear(entry, IMS_IGNORE | IMS_PASID_ENABLE);
    this.#drop(entry);
  }

  protected override programEntry(entry: number, pasid: number): void {
    if (this.#meant.get(entry) === pasid) return;
    this.takeReference(pasid);
    this.quiesce(entry);
    this.#drop(entry);
    this.#meant.set(entry, pasid);
    this.ims.setPasid(entry, this.ims.pasid(entry) | pasid);
  }

  #drop(entry: number): void {
    const meant = this.#meant.get(entry);
    this.#meant.delete(entry);
    if (meant !== undefined) this.dropReference(meant);
  }
}

export const m5: Mutant = {
  id: 'M5',
  title: 'closing an entry clears PASID Enable alone, and the next PASID is added to the bits that are left',
  provenance: {
    system: 'idxd RFC',
    versions: 'July 2020',
    evidence: 'enable_host_ims_pasid ORs, disable_host_ims_pasid clears one bit',
  },
  invariant: 'pasid-isolation',
  tier: 'E',
  trap: 'an entry that is used again',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 1+3 [e0 e0 e0]'],
  },
  mdevs: () => new PasidMixedAtEnable(),
};
