import type { HostTraits, Outcome } from '#vocabulary';
import { type Device, NO_SLOT, type Trigger } from './device.ts';
import { Eventfds, NOT_EVENTFD, NOT_OPEN } from './eventfds.ts';
import { EBADF, EBUSY, EINVAL, NumberedOutcomes, OK } from './outcomes.ts';

/**
 * The lowest layer: what all layers share, and eventfds as the kernel looks them up, signals them and waits for them.
 * Each layer extends the one below it. What a layer needs from one above it is abstract.
 */
export abstract class EventfdLayer {
  protected host: HostTraits = { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' };
  /** Those of the scenario. */
  protected readonly devices: Device[] = [];
  protected readonly eventfds = new Eventfds();
  protected readonly outcomes = new NumberedOutcomes();

  protected abstract intxUnmask(device: Device): void;

  /** eventfd_ctx_fdget, Linux 6.1 and 6.12. */
  protected eventfdLookup(descriptor: number): Outcome {
    if (descriptor === NOT_OPEN) return EBADF;
    return descriptor === NOT_EVENTFD ? EINVAL : OK;
  }

  protected setTrigger(trigger: Trigger, slot: number): void {
    trigger.set(slot, this.eventfds.generation(slot));
  }

  protected signalTrigger(trigger: Trigger): void {
    this.eventfdSignal(trigger.slot, trigger.generation);
  }

  /** eventfd_signal, Linux 6.1 and 6.12. Nobody sees the signal of an eventfd that the user has closed. */
  protected eventfdSignal(slot: number, generation: number): void {
    if (this.eventfds.generation(slot) !== generation) return;
    if (this.eventfds.readers(slot) > 0) this.virqfdWakeup(slot);
    else this.eventfds.signal(slot);
  }

  /**
   * virqfd_wakeup, Linux 6.1 and 6.12: the kernel reads the count, and every device that waits for it unmasks INTx.
   * A device that signals the eventfd it waits for would go on for ever; here the user sees its first signal.
   */
  protected virqfdWakeup(slot: number): void {
    const readers = this.eventfds.readers(slot);
    this.eventfds.setReaders(slot, 0);
    for (const device of this.devices) if (device.unmaskSlot === slot) this.intxUnmask(device);
    this.eventfds.setReaders(slot, readers);
  }

  /** vfio_virqfd_enable, Linux 6.1 and 6.12. */
  protected virqfdEnable(device: Device, descriptor: number): Outcome {
    const found = this.eventfdLookup(descriptor);
    if (found !== OK) return found;
    if (device.unmaskSlot !== NO_SLOT) return EBUSY;
    device.unmaskSlot = descriptor;
    this.eventfds.setReaders(descriptor, this.eventfds.readers(descriptor) + 1);
    return OK;
  }

  /** vfio_virqfd_disable, Linux 6.1 and 6.12. */
  protected virqfdDisable(device: Device): void {
    const slot = device.unmaskSlot;
    if (slot === NO_SLOT) return;
    device.unmaskSlot = NO_SLOT;
    this.eventfds.setReaders(slot, this.eventfds.readers(slot) - 1);
  }

  /** eventfd_release and virqfd_wakeup (EPOLLHUP), Linux 6.1 and 6.12: those who wait for the eventfd are detached. */
  protected eventfdRelease(slot: number): void {
    for (const device of this.devices) if (device.unmaskSlot === slot) this.virqfdDisable(device);
    this.eventfds.close(slot);
  }
}
