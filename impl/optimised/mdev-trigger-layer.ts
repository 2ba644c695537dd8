import type { DataElement, Outcome, VfioGetIrqInfo, VfioSetIrqs } from '#vocabulary';
import {
  ARMED,
  hostIrq,
  IRQ_INFO_BYTES,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_TYPE_MASK,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';
import { isTrue, validated } from './data.ts';
import { NUM_IRQS } from './device.ts';
import { NONE } from './ims-table.ts';
import { MdevEntryLayer } from './mdev-entry-layer.ts';
import { mdevOf, placeOf, vectorOf } from './mdev-vectors.ts';
import { EFAULT, EINVAL, ENOSPC, ENOTTY, ENXIO, OK } from './outcomes.ts';
import { NO_PASID } from './pasid-table.ts';

/** GET_IRQ_INFO and SET_IRQS of an mdev: vectors get triggers and lose them, and entries with them. */
export abstract class MdevTriggerLayer extends MdevEntryLayer {
  protected mdevIrqInfo(mdev: number, { index, argsz = IRQ_INFO_BYTES, unreadable }: VfioGetIrqInfo): Outcome {
    if (unreadable === true) return EFAULT;
    if (argsz < IRQ_INFO_BYTES || index >= NUM_IRQS || index !== VFIO_PCI_MSIX_IRQ_INDEX) return EINVAL;
    return this.outcomes.irqInfo(this.mdevInfoFlags(), this.vectorCount(mdev));
  }

  /** VFIO_IRQ_INFO_* flags of the MSI-X index. */
  protected mdevInfoFlags(): number {
    return this.host.dynamicMsix ? VFIO_IRQ_INFO_EVENTFD : VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
  }

  protected setMdevIrqs(mdev: number, operation: VfioSetIrqs): Outcome {
    if (operation.unreadable === true) return EFAULT;
    const { flags, index, count } = operation;
    const valid = validated(index === VFIO_PCI_MSIX_IRQ_INDEX ? this.vectorCount(mdev) : 0, operation);
    if (valid !== OK) return valid;
    if ((flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) !== VFIO_IRQ_SET_ACTION_TRIGGER) return ENOTTY;
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) return this.setBlock(mdev, operation);
    if (this.mdevs.setUp[mdev] === 0) return EINVAL;
    if (count === 0 && (flags & VFIO_IRQ_SET_DATA_NONE) !== 0) this.disableAll(mdev);
    else this.loopbackMdev(mdev, operation);
    return OK;
  }

  protected loopbackMdev(mdev: number, { flags, start, count, data }: VfioSetIrqs): void {
    const always = (flags & VFIO_IRQ_SET_DATA_NONE) !== 0;
    for (let place = 0; place < count; place += 1) {
      const vector = vectorOf(mdev, start + place);
      if (this.hasTrigger(vector) && (always || isTrue(data[place]))) this.signal(vector);
    }
  }

  /** DATA_EVENTFD. The vectors of a block that fails have no trigger afterwards, whatever they had before. */
  protected setBlock(mdev: number, { start, count, data }: VfioSetIrqs): Outcome {
    const wasSetUp = this.mdevs.setUp[mdev] !== 0;
    if (!wasSetUp) {
      const done = this.setUpMsix(mdev, start + count);
      if (done !== OK) return done;
    }
    for (let place = 0; place < count; place += 1) {
      const outcome = this.setElement(vectorOf(mdev, start + place), data[place] as DataElement);
      if (outcome === OK) continue;
      this.unwindMdevBlock(mdev, start, start + place);
      if (!wasSetUp) this.disableAll(mdev);
      return outcome;
    }
    return OK;
  }

  protected unwindMdevBlock(mdev: number, start: number, failed: number): void {
    for (let place = failed; place >= start; place -= 1) this.disable(vectorOf(mdev, place));
  }

  /** @param end the vector behind the last one of the call that sets MSI-X up */
  protected setUpMsix(mdev: number, end: number): Outcome {
    if (!this.host.dynamicMsix && end !== this.vectorCount(mdev)) return EINVAL;
    if (this.traits.allocation !== 'per-vector') {
      const allocated = this.allocAll(mdev);
      if (allocated !== OK) return allocated;
    }
    this.mdevs.setSetUp(mdev, true);
    return OK;
  }

  /** All IMS vectors get entries, or none does. */
  protected allocAll(mdev: number): Outcome {
    const wanted = this.vectorCount(mdev) - 1;
    const isTooMany = (this.mdevs.entryCount[mdev] as number) + wanted > this.parent.quota;
    if (isTooMany || this.parent.entries - this.ims.takenCount < wanted) return ENOSPC;
    const pasid = this.traits.allocation === 'all-default' ? this.defaultPasid(mdev) : NO_PASID;
    if (this.traits.allocation === 'all-default' && pasid === NO_PASID && wanted > 0) return EINVAL;
    for (let place = 1; place <= wanted; place += 1) {
      const vector = vectorOf(mdev, place);
      const entry = this.allocEntry(vector);
      if (pasid !== NO_PASID) this.openWith(vector, entry, pasid);
    }
    return OK;
  }

  /** The entry of a vector carries the PASID, and heeds MSIX_PERM otherwise too. */
  protected openWith(vector: number, entry: number, pasid: number): void {
    this.programEntry(entry, pasid);
    this.syncIgnore(vector, entry);
  }

  /** One element of DATA_EVENTFD. */
  protected setElement(vector: number, element: DataElement): Outcome {
    const descriptor = this.eventfds.descriptor(element);
    if (descriptor < 0) {
      this.disable(vector);
      return OK;
    }
    const found = this.eventfdLookup(descriptor);
    if (found !== OK) return found;
    return placeOf(vector) === 0 ? this.setVector0(vector, descriptor) : this.setVector(vector, descriptor);
  }

  /** The driver's own vector has no entry. */
  protected setVector0(vector: number, slot: number): Outcome {
    this.armVector(vector, slot);
    this.replay(vector, false);
    return OK;
  }

  /** An IMS vector gets a trigger, or another one: in either case its entry gets the PASID that it should carry now. */
  protected setVector(vector: number, slot: number): Outcome {
    if (this.defaultPasid(mdevOf(vector)) === NO_PASID) return EINVAL;
    const pasid = this.want(vector);
    if (pasid === NO_PASID && this.traits.noTranslation === 'fail') return ENXIO;
    const hadEntry = this.vectors.entry(vector) !== NONE;
    const entry = hadEntry ? this.vectors.entry(vector) : this.allocEntry(vector);
    if (entry === NONE) return ENOSPC;
    if (!this.hasTrigger(vector) && !this.requestHostIrq()) {
      if (!hadEntry) this.freeEntry(vector);
      return ENOSPC;
    }
    this.adopt(vector, entry, pasid);
    this.armVector(vector, slot);
    this.ims.setData(entry, hostIrq(mdevOf(vector), placeOf(vector)));
    this.replay(vector, this.setMask(vector, entry));
    this.revokeOther(vector, entry);
    return OK;
  }

  /** Whether the host has an irq for one more vector. */
  protected requestHostIrq(): boolean {
    return this.allocate(1) === 1;
  }

  /** The entry of a vector carries the PASID, or is closed where there is none. */
  protected adopt(vector: number, entry: number, pasid: number): void {
    if (pasid === NO_PASID) this.closeEntry(entry);
    else this.openWith(vector, entry, pasid);
  }

  protected armVector(vector: number, slot: number): void {
    const generation = this.eventfds.generation(slot);
    this.vectors.setTrigger(vector, slot, generation);
    // A VMM looks at the trigger to know who waits for it.
    if (this.guests.length > 0) this.device(mdevOf(vector)).setTrigger(placeOf(vector), slot, generation);
  }

  /** The guest was told another handle than the vector has now, and reads that it holds no more. */
  protected revokeOther(vector: number, entry: number): void {
    const told = this.vectors.told(vector);
    if (told === NONE || told === entry) return;
    this.traces.revoked(mdevOf(vector));
    this.vectors.setTold(vector, NONE);
    this.emulatedEvent(mdevOf(vector));
  }

  /** A vector loses its trigger, if it has one. What is in flight for it still goes there. */
  protected disable(vector: number): void {
    if (!this.hasTrigger(vector)) return;
    if (placeOf(vector) === 0) {
      this.vectors.clear(vector, ARMED);
      return;
    }
    const entry = this.vectors.entry(vector);
    this.closeEntry(entry);
    this.vectors.clear(vector, ARMED);
    this.ims.setData(entry, 0);
    this.ims.setHandle(entry, false);
    if (this.traits.allocation === 'per-vector') this.freeEntry(vector);
  }

  /** MSI-X is off: no vector has a trigger or an entry. */
  protected disableAll(mdev: number): void {
    const { vectors } = this;
    for (let vector = vectors.next(mdev, 0); vector !== NONE; vector = vectors.next(mdev, placeOf(vector) + 1))
      this.disable(vector);
    for (let vector = vectors.next(mdev, 0); vector !== NONE; vector = vectors.next(mdev, placeOf(vector) + 1))
      if (vectors.entry(vector) !== NONE) this.freeEntry(vector);
    this.mdevs.setSetUp(mdev, false);
  }

  /** The entry of a vector with a trigger gets the PASID that it should carry now. */
  protected resync(vector: number): void {
    const entry = this.vectors.entry(vector);
    this.adopt(vector, entry, this.want(vector));
    this.replay(vector, this.setMask(vector, entry));
  }
}
