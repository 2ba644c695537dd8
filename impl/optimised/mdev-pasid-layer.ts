import { IMS_PASID_ENABLE } from '#vocabulary';
import { pasidFieldOf } from './ims-table.ts';
import { MdevStateLayer } from './mdev-state-layer.ts';
import { mdevOf } from './mdev-vectors.ts';
import { ACTIVE, FREE_PENDING, NO_PASID } from './pasid-table.ts';

/** Host PASIDs: who holds and who carries one, and what a guest PASID stands for. */
export abstract class MdevPasidLayer extends MdevStateLayer {
  /** The lowest free PASID for a VM; `guest` is 0 for a default one. NO_PASID where none is left. */
  protected allocPasid(vm: number, guest: number): number {
    return this.pasids.allocate(this.parent.pasids, vm, guest);
  }

  /** Nobody refers to the PASID any more. */
  protected reclaimPasid(pasid: number): void {
    this.pasids.free(pasid);
  }

  /** An entry or a descriptor carries the PASID. */
  protected takeReference(pasid: number): void {
    this.pasids.count(pasid, 1, 0);
  }

  /** An entry or a descriptor carries the PASID no more. */
  protected dropReference(pasid: number): void {
    this.pasids.count(pasid, -1, 0);
    if (this.pasids.state(pasid) === FREE_PENDING && this.pasids.references(pasid) === 0) this.reclaimPasid(pasid);
  }

  /** The PASID is allocated for a guest, or an mdev is attached with it. */
  protected holdPasid(pasid: number): void {
    this.pasids.count(pasid, 1, 1);
  }

  /** Who has allocated the PASID gives it back, or an mdev is detached that has it. */
  protected releasePasid(pasid: number): void {
    this.pasids.count(pasid, -1, -1);
    if (this.pasids.holders(pasid) !== 0 || this.pasids.state(pasid) !== ACTIVE) return;
    if (this.pasids.references(pasid) === 0) this.reclaimPasid(pasid);
    else this.pasids.setState(pasid, FREE_PENDING);
  }

  /** The host PASID that is bound to a guest PASID of an mdev whose VM has PASIDs of its own, or NO_PASID. */
  protected translate(mdev: number, guest: number): number {
    return this.mdevs.viommu[mdev] === 0 ? NO_PASID : this.pasids.translate(this.vmOf(mdev), guest);
  }

  /** The PASID that the entry of a vector should carry, or NO_PASID. */
  protected want(vector: number): number {
    const mdev = mdevOf(vector);
    const perm = this.vectors.permOf(vector);
    if ((perm & IMS_PASID_ENABLE) === 0) return this.defaultPasid(mdev);
    const pasid = this.translate(mdev, pasidFieldOf(perm));
    return pasid === NO_PASID ? this.wantUntranslated(mdev) : pasid;
  }

  /** The same for a MSIX_PERM that names a guest PASID that is not bound. */
  protected wantUntranslated(mdev: number): number {
    return this.traits.noTranslation === 'default' ? this.defaultPasid(mdev) : NO_PASID;
  }
}
