import { IMS_IGNORE, IMS_MASK, IMS_PASID_ENABLE, IMS_PENDING, PENDING } from '#vocabulary';
import { NONE } from './ims-table.ts';
import { MdevDescriptorLayer } from './mdev-descriptor-layer.ts';
import { mdevOf } from './mdev-vectors.ts';

/** What the driver does to the entries of the table. */
export abstract class MdevEntryLayer extends MdevDescriptorLayer {
  /** The lowest entry that is nobody's becomes the vector's. NONE where there is none, or the mdev has its share. */
  protected allocEntry(vector: number): number {
    const mdev = mdevOf(vector);
    if ((this.mdevs.entryCount[mdev] as number) >= this.parent.quota) return NONE;
    const entry = this.ims.allocate(vector);
    if (entry === NONE) return NONE;
    this.ims.setHandle(entry, false);
    this.mdevs.entryCount[mdev] = (this.mdevs.entryCount[mdev] as number) + 1;
    this.vectors.setEntry(vector, entry);
    return entry;
  }

  protected freeEntry(vector: number): void {
    const entry = this.vectors.entry(vector);
    this.closeEntry(entry);
    this.ims.setHandle(entry, false);
    this.ims.free(entry);
    const mdev = mdevOf(vector);
    this.mdevs.entryCount[mdev] = (this.mdevs.entryCount[mdev] as number) - 1;
    this.vectors.setEntry(vector, NONE);
  }

  /** No descriptor fits the entry any more, and none that did is left. Owner, handle and data stay. */
  protected closeEntry(entry: number): void {
    this.quiesce(entry);
    this.flush(entry);
    const pasid = this.ims.pasid(entry);
    const isEnabled = this.ims.has(entry, IMS_PASID_ENABLE);
    this.ims.set(entry, IMS_MASK);
    this.ims.clear(entry, IMS_IGNORE);
    this.ims.setPasid(entry, 0);
    if (isEnabled) this.dropReference(pasid);
  }

  /** What the hardware has kept for the entry is kept by the driver. */
  protected flush(entry: number): void {
    if (!this.ims.has(entry, IMS_PENDING)) return;
    const vector = this.ims.owner[entry] as number;
    this.setKept(entry, false);
    if (vector !== NONE) this.vectors.set(vector, PENDING);
  }

  /** The entry carries the PASID from now on. */
  protected programEntry(entry: number, pasid: number): void {
    if (this.ims.carries(entry, pasid)) return;
    this.takeReference(pasid);
    this.quiesce(entry);
    const before = this.ims.pasid(entry);
    const wasEnabled = this.ims.has(entry, IMS_PASID_ENABLE);
    this.ims.setPasid(entry, pasid);
    if (wasEnabled) this.dropReference(before);
  }

  /** The entry of a vector ignores completions where MSIX_PERM says so. */
  protected syncIgnore(vector: number, entry: number): void {
    if ((this.vectors.permOf(vector) & IMS_IGNORE) === 0) this.ims.clear(entry, IMS_IGNORE);
    else this.ims.set(entry, IMS_IGNORE);
  }

  /** The entry is masked unless it can deliver. Returns whether it has delivered what it had kept. */
  protected setMask(vector: number, entry: number): boolean {
    if (!this.isDeliverable(vector, entry)) {
      this.ims.set(entry, IMS_MASK);
      return false;
    }
    const wasMasked = this.ims.has(entry, IMS_MASK);
    this.ims.clear(entry, IMS_MASK);
    if (!wasMasked || !this.ims.has(entry, IMS_PENDING)) return false;
    this.setKept(entry, false);
    this.fire(entry);
    return true;
  }

  protected isDeliverable(vector: number, entry: number): boolean {
    return this.ims.has(entry, IMS_PASID_ENABLE) && this.hasTrigger(vector) && !this.isMasked(vector);
  }

  /** The entry is as after a reset, but for what it belongs to: nothing is kept and nothing ignored. */
  protected forgetKept(entry: number): void {
    this.setKept(entry, false);
    this.ims.clear(entry, IMS_IGNORE);
  }
}
