import type { Outcome } from '#vocabulary';
import { PENDING, UNMASKED } from '#vocabulary';
import { NONE } from './ims-table.ts';
import { MdevGuestLayer } from './mdev-guest-layer.ts';
import { CREATED, GONE, NO_MDEV, OPEN } from './mdev-table.ts';
import { mdevOf, placeOf } from './mdev-vectors.ts';
import { EBUSY, EEXIST, EINVAL, ENODEV, ENOSPC, OK } from './outcomes.ts';
import { NO_PASID } from './pasid-table.ts';

/** The life of an mdev: created and removed, attached and detached, opened, reset and closed. */
export abstract class MdevLifeLayer extends MdevGuestLayer {
  protected createMdev(mdev: number): Outcome {
    if (this.mdevs.life[mdev] !== GONE) return EEXIST;
    this.cleanVectors(mdev);
    this.mdevs.setLife(mdev, CREATED);
    return OK;
  }

  protected removeMdev(mdev: number): Outcome {
    if (this.mdevs.life[mdev] === GONE) return ENODEV;
    if (this.isOpen(mdev)) this.closeMdev(mdev);
    if (this.defaultPasid(mdev) !== NO_PASID) this.detachMdev(mdev);
    this.mdevs.setLife(mdev, GONE);
    return OK;
  }

  protected attach(mdev: number): Outcome {
    if (this.mdevs.life[mdev] === GONE) return ENODEV;
    if (this.defaultPasid(mdev) !== NO_PASID) return EBUSY;
    const pasid = this.pasidToAttach(this.vmOf(mdev));
    if (pasid === NO_PASID) return ENOSPC;
    this.holdPasid(pasid);
    this.mdevs.setDefaultPasid(mdev, pasid);
    return OK;
  }

  /** The default PASID of the IOMMU domain where there is one already, else a new one. NO_PASID without one left. */
  protected pasidToAttach(vm: number): number {
    const isShared = this.traits.defaultPasid === 'per-domain' && this.mdevs.attachedCount[vm] !== 0;
    return isShared ? (this.mdevs.sharedPasid[vm] as number) : this.allocPasid(vm, 0);
  }

  protected detach(mdev: number): Outcome {
    if (this.mdevs.life[mdev] === GONE) return ENODEV;
    if (this.defaultPasid(mdev) === NO_PASID) return EINVAL;
    this.detachMdev(mdev);
    return OK;
  }

  /** Nothing carries the default PASID when it goes. With the last mdev of a VM go the guest PASIDs. */
  protected detachMdev(mdev: number): void {
    const vm = this.vmOf(mdev);
    const pasid = this.defaultPasid(mdev);
    this.stopQueues(mdev);
    if (this.mdevs.setUp[mdev] !== 0) this.disableAll(mdev);
    this.mdevs.setDefaultPasid(mdev, NO_PASID);
    this.releasePasid(pasid);
    if (this.mdevs.attachedCount[vm] === 0) this.freeBindings(vm);
  }

  /** The guest PASIDs of a VM, when no entry can carry one. */
  protected freeBindings(vm: number): void {
    for (const pasid of this.pasids.boundIn(vm)) {
      this.unbindPasid(pasid);
      this.releasePasid(pasid);
    }
  }

  protected openMdev(mdev: number): Outcome {
    if (this.mdevs.life[mdev] === GONE) return ENODEV;
    this.mdevs.openCount[mdev] = (this.mdevs.openCount[mdev] as number) + 1;
    this.mdevs.setLife(mdev, OPEN);
    return OK;
  }

  /** One device descriptor of an open mdev is closed. */
  protected closeOne(mdev: number): Outcome {
    const left = (this.mdevs.openCount[mdev] as number) - 1;
    if (left === 0) this.closeMdev(mdev);
    else this.mdevs.openCount[mdev] = left;
    return OK;
  }

  /** No descriptor is open any more, however many there were: nothing of the guest is left. */
  protected closeMdev(mdev: number): void {
    this.mdevs.openCount[mdev] = 0;
    this.stopQueues(mdev);
    if (this.mdevs.setUp[mdev] !== 0) this.disableAll(mdev);
    this.cleanVectors(mdev);
    this.mdevs.setLife(mdev, CREATED);
  }

  /** What the guest and the driver know of every vector is as after creation. */
  protected cleanVectors(mdev: number): void {
    const { vectors } = this;
    for (let vector = vectors.next(mdev, 0); vector !== NONE; vector = vectors.next(mdev, placeOf(vector) + 1))
      this.cleanVector(vector);
  }

  protected cleanVector(vector: number): void {
    if (this.vectors.permOf(vector) !== 0) this.vectors.setPerm(vector, 0);
    this.vectors.clear(vector, UNMASKED | PENDING);
    this.vectors.setTold(vector, NONE);
  }

  /** VFIO_DEVICE_RESET. Triggers survive, and their entries carry the default PASID. */
  protected resetMdev(mdev: number): Outcome {
    const { vectors } = this;
    this.stopQueues(mdev);
    // Descriptors of another mdev of the VM may be on their way to these entries.
    for (let vector = vectors.next(mdev, 1); vector !== NONE; vector = vectors.next(mdev, placeOf(vector) + 1))
      if (vectors.entry(vector) !== NONE) this.quiesce(vectors.entry(vector));
    for (let vector = vectors.next(mdev, 1); vector !== NONE; vector = vectors.next(mdev, placeOf(vector) + 1)) {
      this.cleanVector(vector);
      const entry = vectors.entry(vector);
      if (entry !== NONE) this.resetEntry(vector, entry);
    }
    for (let vector = vectors.next(mdev, 0); vector !== NONE; vector = vectors.next(mdev, placeOf(vector) + 1))
      // What has come while the entries changed is gone too.
      if (placeOf(vector) === 0) this.cleanVector(vector);
      else vectors.clear(vector, PENDING);
    return OK;
  }

  protected resetEntry(vector: number, entry: number): void {
    const isArmed = this.hasTrigger(vector);
    const pasid = this.defaultPasid(mdevOf(vector));
    this.ims.setHandle(entry, false);
    this.forgetKept(entry);
    if (pasid !== NO_PASID && (isArmed || this.traits.allocation === 'all-default')) this.programEntry(entry, pasid);
    else this.closeEntry(entry);
    if (isArmed) this.setMask(vector, entry);
  }

  /**
   * The VMM of a VM has died: the kernel closes what it had open.
   * @param number what the Config calls the VM
   */
  protected crash(number: number): Outcome {
    const vm = this.mdevs.vmPlace(number);
    if (vm === -1) return OK;
    for (let mdev = this.firstOfVm(vm); mdev !== NO_MDEV; mdev = this.nextOfVm(mdev))
      if (this.isOpen(mdev)) this.closeMdev(mdev);
    for (let mdev = this.firstOfVm(vm); mdev !== NO_MDEV; mdev = this.nextOfVm(mdev))
      if (this.defaultPasid(mdev) !== NO_PASID) this.detachMdev(mdev);
    return OK;
  }
}
