import {
  ARMED,
  type EventfdName,
  PENDING,
  UNMASKED,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';
import { type DeviceView, isEventfdName, type Moment, setsMsixTriggers } from './moment.ts';

/** How many signals an eventfd must and may show for one step. */
export interface Delivery {
  readonly eventfd: EventfdName;
  readonly least: number;
  readonly most: number;
  /** What was counted. */
  readonly counted: number;
}

/**
 * The account of one step: what its raises, replays and loopbacks owe and allow each eventfd, beside what was counted.
 * Source: PCIe 6.0, 6.1.4.5 for masked entries; vfio_msihandler and vfio_pci_set_msi_trigger, Linux 6.1 and 6.12.
 */
export function deliveries(moment: Moment): readonly Delivery[] {
  const { device, operation, step } = moment;
  const account = new Map<EventfdName, { least: number; most: number; counted: number }>();
  const of = (eventfd: EventfdName) => {
    const known = account.get(eventfd);
    if (known !== undefined) return known;
    const opened = { least: 0, most: 0, counted: 0 };
    account.set(eventfd, opened);
    return opened;
  };
  for (const event of step.events) if (event.kind === 'signalled') of(event.eventfd).counted += event.count;
  if (device !== undefined) {
    if (operation.kind === 'vfio.setIrqs') {
      for (const { eventfd, least } of [...replays(device, operation), ...loopbacks(moment, device, operation)]) {
        of(eventfd).most += 1;
        if (least) of(eventfd).least += 1;
      }
    }
    for (const vector of device.raised) {
      const trigger = deliverable(device, vector) ? device.triggers.get(vector) : undefined;
      if (trigger === undefined || trigger === 'unseen') continue;
      of(trigger).most += 1;
      of(trigger).least += 1;
    }
  }
  return [...account].map(([eventfd, counts]) => ({ eventfd, ...counts }));
}

/** Whether an event of a vector leaves the device as a message and finds a handler, after the operation. */
export function deliverable(device: DeviceView, vector: number): boolean {
  const state = device.stateAfter(vector);
  return device.after.enable && !device.after.functionMask && (state & (ARMED | UNMASKED)) === (ARMED | UNMASKED);
}

interface Signal {
  readonly eventfd: EventfdName;
  /** Whether the signal is owed, or only allowed. */
  readonly least: boolean;
}

/**
 * A pending bit is delivered to the eventfd that a call sets as trigger; a call that fails later may have got that
 * far.
 */
function replays(device: DeviceView, call: VfioSetIrqs): Signal[] {
  if (!setsMsixTriggers(call)) return [];
  return device.config.msixVectors < call.start
    ? []
    : call.data.slice(0, call.count).flatMap((element, place): Signal[] => {
        const vector = call.start + place;
        if (!isEventfdName(element) || (device.stateBefore(vector) & PENDING) === 0) return [];
        return [{ eventfd: element, least: (device.stateAfter(vector) & PENDING) === 0 }];
      });
}

/** A loopback signals the triggers it names. */
function loopbacks({ step }: Moment, device: DeviceView, call: VfioSetIrqs): Signal[] {
  if (step.outcome.kind !== 'ok' || (call.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) return [];
  const signals: Signal[] = [];
  for (let place = 0; place < call.count; place += 1) {
    const element = call.data[place];
    const chosen =
      (call.flags & VFIO_IRQ_SET_DATA_BOOL) === 0 || typeof element === 'string' || ((element ?? 0) & 0xff) !== 0;
    const trigger =
      call.index === VFIO_PCI_MSIX_IRQ_INDEX ? device.triggers.get(call.start + place) : device.reqTriggerBefore;
    if (chosen && trigger !== undefined && trigger !== null && trigger !== 'unseen')
      signals.push({ eventfd: trigger, least: true });
  }
  return signals;
}
