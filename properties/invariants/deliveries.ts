import * as vocabulary from '#vocabulary';
import { type Event, type EventfdName, isEventfdName } from '#vocabulary';
import { type Call, type IrqType, isChosen, loopsBack, placesOf, setsIntx, unmasksIntx } from './calls.ts';
import { sendsMsi } from './followed-device.ts';
import type { DeviceView, Moment, TriggerView } from './moment.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const { ADDRESS_0, ARMED, INTX_DISABLE, INTX_HANDLER, INTX_STATUS, PENDING, UNMASKED, VFIO_PCI_ERR_IRQ_INDEX } =
  vocabulary;

/** How many signals an eventfd must and may show for one step. */
export interface Delivery {
  readonly eventfd: EventfdName;
  readonly least: number;
  readonly most: number;
  /** What was counted. */
  readonly counted: number;
}

/** What is known of the step before its account is made. */
type Told = Omit<Moment, 'deliveries'>;

/** What a step signals and owes where it does neither. */
export const NOBODY: readonly Delivery[] = [];

/**
 * The account of one step: what its raises, replays, loopbacks and INTx owe and allow each eventfd, beside what was
 * counted. An eventfd that the kernel reads to unmask INTx is not accounted for: the kernel takes its counts.
 * Source: PCIe 6.0, 6.1.4.5 for masked entries; vfio_msihandler, vfio_intx_handler, Linux 6.1 and 6.12.
 */
export function deliveries(moment: Told): readonly Delivery[] {
  const { device, devices, operation, call, arming, granted, step } = moment;
  const isQuiet = step.events.length === 0 && (call === null || (!granted && arming === null));
  if (isQuiet && device !== undefined && !hearsIntx(device, moment)) return NOBODY;
  const account = new Account();
  account.count(step.events);
  if (device !== undefined) deviceSignals(moment, device, account);
  else if (operation.kind === 'vfio.writeEventfd') writtenSignals(devices, operation.eventfd, account);
  for (let at = 0; at < devices.length; at += 1) {
    const { unmask } = (devices[at] as DeviceView).singlesBefore;
    if (unmask !== null) account.leaveOut(unmask);
  }
  return account.deliveries;
}

/** A delivery that is still added up. */
type Making = { -readonly [Key in keyof Delivery]: Delivery[Key] };

/** What the eventfds of a step are owed so far. Most steps signal nobody and owe nobody, and the others few. */
class Account {
  #opened: Making[] | null = null;

  get deliveries(): readonly Delivery[] {
    return this.#opened ?? NOBODY;
  }

  count(events: readonly Event[]): void {
    for (let at = 0; at < events.length; at += 1) {
      const event = events[at] as Event;
      if (event.kind === 'signalled') this.#of(event.eventfd).counted += event.count;
    }
  }

  /** A signal that is owed. */
  owe(trigger: TriggerView): void {
    if (trigger === 'unseen') return;
    const delivery = this.#of(trigger);
    delivery.least += 1;
    delivery.most += 1;
  }

  /** A signal that may come. */
  allow(eventfd: EventfdName): void {
    this.#of(eventfd).most += 1;
  }

  leaveOut(eventfd: EventfdName): void {
    if (this.#opened !== null) this.#opened = this.#opened.filter((delivery) => delivery.eventfd !== eventfd);
  }

  #of(eventfd: EventfdName): Making {
    const opened = this.#opened ?? NOBODY;
    for (let at = 0; at < opened.length; at += 1) {
      const delivery = opened[at] as Making;
      if (delivery.eventfd === eventfd) return delivery;
    }
    const delivery = { eventfd, least: 0, most: 0, counted: 0 };
    // A list that is pushed to while it is empty takes room for many.
    if (this.#opened === null) this.#opened = [delivery];
    else this.#opened.push(delivery);
    return delivery;
  }
}

function deviceSignals(moment: Told, device: DeviceView, account: Account): void {
  const { call, arming, granted } = moment;
  if (arming !== null) replays(device, arming, account);
  else if (granted && call !== null && loopsBack(call)) loopbacks(device, call, account);
  for (let at = 0; at < device.raised.length; at += 1) {
    const vector = device.raised[at] as number;
    const trigger = deliverable(device, vector) ? device.trigger(vector) : null;
    if (trigger !== null) account.owe(trigger);
  }
  if (granted && hearsIntx(device, moment)) intxSignal(device, account);
}

/** Whether an event of a vector leaves the device as a message and finds a handler, after the operation. */
export function deliverable(device: DeviceView, vector: number): boolean {
  const { after, choices, config } = device;
  if (!choices.busMaster || choices.inD3hot || config.silent === true) return false;
  const state = device.stateAfter(vector);
  switch (after.type) {
    case 'none':
    case 'intx':
      return false;
    case 'msi':
      return sendsMsi(device, vector) && (state & ARMED) !== 0;
    case 'msix':
      return !after.functionMask && (state & (ARMED | UNMASKED | ADDRESS_0)) === (ARMED | UNMASKED);
  }
}

/**
 * An event that waits for its vector's handler is delivered to the eventfd that a call sets as trigger; a call that
 * fails later may have got that far.
 */
function replays(device: DeviceView, call: Call, account: Account): void {
  const { type, start, data } = call;
  const kept = type === 'msix' ? device.pendingBefore : device.waiting;
  for (let vector = kept.next(start); vector !== -1 && vector < start + data.length; vector = kept.next(vector + 1)) {
    const element = data[vector - start];
    if (!isEventfdName(element)) continue;
    if (arrives(device, type, vector)) account.owe(element);
    else account.allow(element);
  }
}

/** Whether what was kept of a vector that is given a handler is delivered to it, and does not stay where it is. */
function arrives(device: DeviceView, type: IrqType, vector: number): boolean {
  const state = device.stateAfter(vector);
  if (type === 'msi') return (state & ARMED) !== 0 && !device.unsure.has(vector);
  return (state & (PENDING | ADDRESS_0)) === 0 && device.choices.busMaster && !device.choices.inD3hot;
}

/** A loopback signals the triggers it names. */
function loopbacks(device: DeviceView, call: Call, account: Account): void {
  const places = placesOf(call);
  for (let place = 0; place < places; place += 1) {
    const trigger = loopbackTrigger(device, call, call.start + place);
    if (isChosen(call, place) && trigger !== null) account.owe(trigger);
  }
}

function loopbackTrigger(device: DeviceView, { type, index }: Call, vector: number): TriggerView | null {
  const { intx, err, req } = device.singlesBefore;
  switch (type) {
    case 'none':
      return index === VFIO_PCI_ERR_IRQ_INDEX ? err : req;
    case 'intx':
      return device.choices.intxDisable ? null : intx;
    case 'msi':
    case 'msix':
      return device.after.type === type ? device.trigger(vector) : null;
  }
}

/** Whether the operation makes vfio-pci look at the pin: it is asserted, INTx is set up, or unmasked. */
function hearsIntx(device: DeviceView, { kind, call }: Told): boolean {
  const { before, after, choicesBefore, choices } = device;
  if ((after.registers & INTX_HANDLER) === 0 || (after.registers & INTX_STATUS) === 0) return false;
  if (kind === 'device.assertIntx') return (before.registers & INTX_DISABLE) === 0;
  if (call !== null && setsIntx(call)) return before.type === 'none';
  const masked = (before.registers & INTX_DISABLE) !== 0;
  if (kind === 'vfio.configWrite') return masked && choicesBefore.intxDisable && !choices.intxDisable;
  return masked && call !== null && unmasksIntx(call);
}

function intxSignal({ singles, choices }: DeviceView, account: Account): void {
  if (singles.intx !== null && !choices.intxDisable) account.owe(singles.intx);
}

/** The user writes an eventfd: the kernel takes it as an unmask where it waits for it, else the user reads it back. */
function writtenSignals(devices: readonly DeviceView[], eventfd: EventfdName, account: Account): void {
  const heard = INTX_HANDLER | INTX_STATUS | INTX_DISABLE;
  let isTaken = false;
  for (const device of devices) {
    if (device.singlesBefore.unmask !== eventfd) continue;
    isTaken = true;
    if ((device.before.registers & heard) === heard) intxSignal(device, account);
  }
  if (!isTaken) account.owe(eventfd);
}
