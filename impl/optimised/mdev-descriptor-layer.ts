import type { GuestSubmit, Outcome } from '#vocabulary';
import { ABANDONED, INVALID_INTERRUPT_HANDLE, SUCCESS } from '#vocabulary';
import { OVER, QUEUED, STARTED } from './descriptor-table.ts';
import { NONE } from './ims-table.ts';
import { MdevDeliveryLayer } from './mdev-delivery-layer.ts';
import { EBUSY, EINVAL, ENODEV, OK } from './outcomes.ts';
import { NO_PASID } from './pasid-table.ts';

/** Descriptors: what they carry, the check when one is begun, and the interrupt when it is done. */
export abstract class MdevDescriptorLayer extends MdevDeliveryLayer {
  protected submit(mdev: number, { descriptor, queue, pasid, handle, rci }: GuestSubmit): Outcome {
    const place = this.descriptors.place(descriptor);
    if (this.descriptors.phases[place] !== OVER) return EBUSY;
    if (this.defaultPasid(mdev) === NO_PASID) return ENODEV;
    const isShared = queue === 'shared';
    const carried = isShared ? this.submittedPasid(mdev, pasid) : this.defaultPasid(mdev);
    this.takeReference(carried);
    this.descriptors.submit(place, mdev, carried);
    this.descriptors.setRequest(place, isShared ? pasid : 0, handle, rci !== false);
    return OK;
  }

  /** What ENQCMD makes of a guest PASID (DSA 3.0, 7.5.3): the default one of one that is not bound. */
  protected submittedPasid(mdev: number, guest: number): number {
    const pasid = this.translate(mdev, guest);
    return pasid === NO_PASID ? this.defaultPasid(mdev) : pasid;
  }

  protected startDescriptor(descriptor: number): Outcome {
    const place = this.descriptors.place(descriptor);
    if (this.descriptors.phases[place] !== QUEUED) return EINVAL;
    if (this.descriptors.requests[place] === 0) this.descriptors.start(place, NONE);
    else if (this.check(place)) this.descriptors.start(place, this.descriptors.handles[place] as number);
    else this.refuse(place);
    return OK;
  }

  /** Whether the handle of a descriptor is of an entry with its PASID (DSA 3.0, 5.4). */
  protected check(place: number): boolean {
    const { handles, pasids } = this.descriptors;
    return this.ims.check(handles[place] as number, pasids[place] as number, this.parent.handles === 'requested');
  }

  /** The guest that has submitted it reads why in SWERROR, with the PASID as it calls it. */
  protected refuse(place: number): void {
    const mdev = this.descriptors.submitters[place] as number;
    const guestPasid = this.descriptors.guestPasids[place] as number;
    this.endDescriptor(place, INVALID_INTERRUPT_HANDLE);
    this.traces.error(mdev, guestPasid);
    this.emulatedEvent(mdev);
  }

  protected completeDescriptor(descriptor: number): Outcome {
    const place = this.descriptors.place(descriptor);
    if (this.descriptors.phases[place] !== STARTED) return EINVAL;
    this.complete(place);
    return OK;
  }

  /** A descriptor that was started is done: its record is written, then its interrupt is made. */
  protected complete(place: number): void {
    const entry = this.descriptors.entries[place] as number;
    const pasid = this.descriptors.pasids[place] as number;
    this.tellCompleted(place, SUCCESS);
    this.descriptors.end(place);
    if (entry !== NONE) this.interrupt(entry);
    this.dropReference(pasid);
  }

  /** A descriptor ends without an interrupt. */
  protected endDescriptor(place: number, status: number): void {
    const pasid = this.descriptors.pasids[place] as number;
    this.tellCompleted(place, status);
    this.descriptors.end(place);
    this.dropReference(pasid);
  }

  protected tellCompleted(place: number, status: number): void {
    const { submitters, numbers } = this.descriptors;
    this.traces.completed(submitters[place] as number, numbers[place] as number, status);
  }

  /** Nothing of the mdev is in flight any more. */
  protected stopQueues(mdev: number): void {
    const { places, count } = this.descriptors.ofMdev(mdev);
    for (let index = 0; index < count; index += 1) {
      const place = places[index] as number;
      if (this.descriptors.phases[place] === STARTED) this.complete(place);
      else this.endDescriptor(place, ABANDONED);
    }
  }

  /** What was checked against the entry is done before the entry changes. */
  protected quiesce(entry: number): void {
    const { places, count } = this.descriptors.ofEntry(entry);
    for (let index = 0; index < count; index += 1) this.complete(places[index] as number);
  }
}
