import type { GuestMdevOperation, GuestMsixPerm, GuestRequestHandle, Outcome } from '#vocabulary';
import {
  IMS_IGNORE,
  IMS_PASID_ENABLE,
  INVALID_HANDLE_INDEX,
  NO_HANDLE,
  PASID_MAX,
  UNKNOWN_HANDLE,
  UNMASKED,
} from '#vocabulary';
import { inPasidField, NONE } from './ims-table.ts';
import { NO_MDEV } from './mdev-table.ts';
import { MdevTriggerLayer } from './mdev-trigger-layer.ts';
import { placeOf, vectorOf } from './mdev-vectors.ts';
import { EBUSY, EINVAL, ENODEV, ENOSPC, OK } from './outcomes.ts';
import { NO_PASID } from './pasid-table.ts';

/** What a guest asks of the driver through trapped registers: MSIX_PERM, PASIDs, handles, and its mask bits. */
export abstract class MdevGuestLayer extends MdevTriggerLayer {
  /** The mdev is open. */
  protected answerMdevGuest(mdev: number, operation: GuestMdevOperation): Outcome {
    switch (operation.kind) {
      case 'guest.msixPerm':
        return operation.vector < this.vectorCount(mdev) ? this.writePerm(mdev, operation) : EINVAL;
      case 'guest.bindPasid':
        return this.bindPasid(mdev, operation.pasid);
      case 'guest.freePasid':
        return this.freePasid(mdev, operation.pasid);
      case 'guest.requestHandle':
        return this.requestHandle(mdev, operation);
      case 'guest.releaseHandle':
        return this.releaseHandle(mdev, operation.operand);
      case 'guest.submit':
        return this.submit(mdev, operation);
    }
  }

  protected maskVector(vector: number): Outcome {
    this.vectors.clear(vector, UNMASKED);
    const entry = this.vectors.entry(vector);
    if (entry !== NONE && this.hasTrigger(vector)) this.setMask(vector, entry);
    return OK;
  }

  protected unmaskVector(vector: number): Outcome {
    if (!this.isMasked(vector)) return OK;
    this.vectors.set(vector, UNMASKED);
    if (!this.hasTrigger(vector)) return OK;
    if (placeOf(vector) === 0) this.replay(vector, false);
    else if (this.traits.permSync !== 'atEnable') this.resync(vector);
    else this.replay(vector, this.setMask(vector, this.vectors.entry(vector)));
    return OK;
  }

  protected writePerm(mdev: number, { vector: place, pasidEnable, pasid, ignore }: GuestMsixPerm): Outcome {
    const bits = (pasidEnable ? IMS_PASID_ENABLE : 0) | (ignore ? IMS_IGNORE : 0);
    const vector = vectorOf(mdev, place);
    this.vectors.setPerm(vector, (bits | inPasidField(pasid)) >>> 0);
    if (place === 0) return OK;
    const entry = this.vectors.entry(vector);
    if (entry !== NONE && this.ims.has(entry, IMS_PASID_ENABLE)) this.syncIgnore(vector, entry);
    if (this.traits.permSync === 'immediate' && this.hasTrigger(vector)) this.resync(vector);
    return OK;
  }

  protected bindPasid(mdev: number, guest: number): Outcome {
    if (this.mdevs.viommu[mdev] === 0 || this.defaultPasid(mdev) === NO_PASID) return ENODEV;
    if (guest === 0 || guest > PASID_MAX) return EINVAL;
    if (this.translate(mdev, guest) !== NO_PASID) return EBUSY;
    const vm = this.vmOf(mdev);
    const pasid = this.allocPasid(vm, guest);
    if (pasid === NO_PASID) return ENOSPC;
    this.holdPasid(pasid);
    this.pasids.bind(pasid);
    if (this.traits.permSync === 'immediate') this.resyncNamed(vm, guest);
    return OK;
  }

  /** Every vector of the VM with a trigger whose MSIX_PERM names the guest PASID. */
  protected resyncNamed(vm: number, guest: number): void {
    const field = (IMS_PASID_ENABLE | inPasidField(guest)) >>> 0;
    const { vectors } = this;
    for (let mdev = this.firstOfVm(vm); mdev !== NO_MDEV; mdev = this.nextOfVm(mdev))
      for (let vector = vectors.next(mdev, 1); vector !== NONE; vector = vectors.next(mdev, placeOf(vector) + 1))
        if (this.hasTrigger(vector) && (vectors.permOf(vector) & ~IMS_IGNORE) >>> 0 === field) this.resync(vector);
  }

  protected freePasid(mdev: number, guest: number): Outcome {
    const pasid = this.translate(mdev, guest);
    if (pasid === NO_PASID) return OK;
    this.unbindPasid(pasid);
    this.evictPasid(this.vmOf(mdev), pasid);
    this.releasePasid(pasid);
    return OK;
  }

  /** The PASID translates nothing any more. */
  protected unbindPasid(pasid: number): void {
    this.pasids.unbind(pasid);
  }

  /** No entry of the VM carries the PASID any more. */
  protected evictPasid(vm: number, pasid: number): void {
    for (let mdev = this.firstOfVm(vm); mdev !== NO_MDEV; mdev = this.nextOfVm(mdev))
      if (this.mdevs.entryCount[mdev] !== 0) this.evictFromMdev(mdev, pasid);
  }

  protected evictFromMdev(mdev: number, pasid: number): void {
    const { vectors } = this;
    let vector = vectors.nextAllocated(mdev, 1);
    for (; vector !== NONE; vector = vectors.nextAllocated(mdev, placeOf(vector) + 1)) {
      const entry = vectors.entry(vector);
      if (this.ims.carries(entry, pasid)) this.evict(vector, entry);
    }
  }

  /** The PASID that the entry of a vector carries is going. */
  protected evict(vector: number, entry: number): void {
    if (this.traits.permSync === 'immediate' && this.hasTrigger(vector)) this.resync(vector);
    else {
      this.closeEntry(entry);
      this.replay(vector, false);
    }
  }

  protected firstOfVm(vm: number): number {
    return this.mdevs.firstOfVm[vm] as number;
  }

  protected nextOfVm(mdev: number): number {
    return this.mdevs.nextOfVm[mdev] as number;
  }

  protected requestHandle(mdev: number, { vector: place, ims }: GuestRequestHandle): Outcome {
    if (ims === true) return this.outcomes.status(NO_HANDLE);
    if (place === 0 || place >= this.vectorCount(mdev)) return this.outcomes.status(INVALID_HANDLE_INDEX);
    const vector = vectorOf(mdev, place);
    const entry = this.vectors.entry(vector);
    if (entry === NONE) return this.outcomes.status(NO_HANDLE);
    this.vectors.setTold(vector, entry);
    this.ims.setHandle(entry, this.parent.handles === 'requested');
    return this.outcomes.value(entry);
  }

  /** @param operand a vector or a handle, as the driver has it */
  protected releaseHandle(mdev: number, operand: number): Outcome {
    const byHandle = this.traits.releaseBy === 'handle';
    const vector = byHandle ? this.vectorTold(mdev, operand) : this.vectorOfOperand(mdev, operand);
    if (vector === NONE) return this.outcomes.status(byHandle ? UNKNOWN_HANDLE : INVALID_HANDLE_INDEX);
    const told = this.vectors.told(vector);
    this.vectors.setTold(vector, NONE);
    if (this.vectors.entry(vector) === told) this.revokeHandle(vector, told);
    return OK;
  }

  /** The vector that the guest was told this handle for, where it leads or else the lowest, or NONE. */
  protected vectorTold(mdev: number, handle: number): number {
    const { vectors } = this;
    let lowest = NONE;
    for (let vector = vectors.next(mdev, 1); vector !== NONE; vector = vectors.next(mdev, placeOf(vector) + 1)) {
      if (vectors.told(vector) === NONE || vectors.told(vector) !== handle) continue;
      if (vectors.entry(vector) === handle) return vector;
      if (lowest === NONE) lowest = vector;
    }
    return lowest;
  }

  /** The vector of a place in the table where the guest was told a handle for it, or NONE. */
  protected vectorOfOperand(mdev: number, place: number): number {
    if (place === 0 || place >= this.vectorCount(mdev)) return NONE;
    const vector = vectorOf(mdev, place);
    return this.vectors.told(vector) === NONE ? NONE : vector;
  }

  /** The entry of a vector is dead until the vector is synchronised again. */
  protected revokeHandle(vector: number, entry: number): void {
    this.ims.setHandle(entry, false);
    this.closeEntry(entry);
    this.replay(vector, false);
  }
}
