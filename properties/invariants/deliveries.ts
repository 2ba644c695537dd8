import {
  ADDRESS_0,
  ARMED,
  type EventfdName,
  INTX_DISABLE,
  INTX_HANDLER,
  INTX_STATUS,
  isEventfdName,
  PENDING,
  UNMASKED,
  VFIO_PCI_ERR_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';
import { isChosen, loopsBack, placesOf, setsIntx, typeOf, unmasksIntx } from './calls.ts';
import { sendsMsi } from './followed-device.ts';
import type { DeviceView, Moment, TriggerView } from './moment.ts';

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

interface Signal {
  readonly eventfd: TriggerView;
  /** Whether the signal is owed, or only allowed. */
  readonly least: boolean;
}

/** What a step signals and owes where it does neither. */
export const NOBODY: readonly Delivery[] = [];

/**
 * The account of one step: what its raises, replays, loopbacks and INTx owe and allow each eventfd, beside what was
 * counted. An eventfd that the kernel reads to unmask INTx is not accounted for: the kernel takes its counts.
 * Source: PCIe 6.0, 6.1.4.5 for masked entries; vfio_msihandler, vfio_intx_handler, Linux 6.1 and 6.12.
 */
export function deliveries(moment: Told): readonly Delivery[] {
  const { device, devices, operation, step } = moment;
  const signals: Signal[] = [];
  if (device !== undefined) deviceSignals(moment, device, signals);
  if (operation.kind === 'vfio.writeEventfd') writtenSignals(devices, operation.eventfd, signals);
  // Most steps signal nobody and owe nobody.
  if (signals.length === 0 && step.events.length === 0) return NOBODY;
  const account = new Map<EventfdName, Account>();
  for (const event of step.events)
    if (event.kind === 'signalled') accountOf(account, event.eventfd).counted += event.count;
  for (const { eventfd, least } of signals) {
    if (eventfd === 'unseen') continue;
    const at = accountOf(account, eventfd);
    at.most += 1;
    if (least) at.least += 1;
  }
  for (const { singlesBefore } of devices) if (singlesBefore.unmask !== null) account.delete(singlesBefore.unmask);
  return [...account.values()];
}

type Account = { -readonly [Key in keyof Delivery]: Delivery[Key] };

function accountOf(account: Map<EventfdName, Account>, eventfd: EventfdName): Account {
  const known = account.get(eventfd);
  if (known !== undefined) return known;
  const opened = { eventfd, least: 0, most: 0, counted: 0 };
  account.set(eventfd, opened);
  return opened;
}

function deviceSignals(moment: Told, device: DeviceView, signals: Signal[]): void {
  const { call, arming, granted } = moment;
  if (arming !== null) replays(device, arming, signals);
  else if (granted && call !== null && loopsBack(call)) loopbacks(device, call, signals);
  for (const vector of device.raised) {
    const trigger = deliverable(device, vector) ? device.trigger(vector) : null;
    if (trigger !== null) signals.push({ eventfd: trigger, least: true });
  }
  if (granted && hearsIntx(device, moment)) intxSignal(device, signals);
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
function replays(device: DeviceView, call: VfioSetIrqs, signals: Signal[]): void {
  const { choices } = device;
  const type = typeOf(call.index);
  const places = Math.min(call.data.length, call.count);
  for (let place = 0; place < places; place += 1) {
    const element = call.data[place];
    const vector = call.start + place;
    const pending = type === 'msix' && (device.stateBefore(vector) & PENDING) !== 0;
    const waits = type === 'msi' && device.waiting.has(vector);
    if (!isEventfdName(element) || !(pending || waits)) continue;
    const state = device.stateAfter(vector);
    const arrives = waits
      ? (state & ARMED) !== 0 && !device.unsure.has(vector)
      : (state & (PENDING | ADDRESS_0)) === 0 && choices.busMaster && !choices.inD3hot;
    signals.push({ eventfd: element, least: arrives });
  }
}

/** A loopback signals the triggers it names. */
function loopbacks(device: DeviceView, call: VfioSetIrqs, signals: Signal[]): void {
  for (let place = 0; place < placesOf(call); place += 1) {
    const trigger = loopbackTrigger(device, call.index, call.start + place);
    if (isChosen(call, place) && trigger !== null) signals.push({ eventfd: trigger, least: true });
  }
}

function loopbackTrigger(device: DeviceView, index: number, vector: number): TriggerView | null {
  const type = typeOf(index);
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
function hearsIntx(device: DeviceView, { operation, call }: Told): boolean {
  const { before, after, choicesBefore, choices } = device;
  if ((after.registers & INTX_HANDLER) === 0 || (after.registers & INTX_STATUS) === 0) return false;
  if (operation.kind === 'device.assertIntx') return (before.registers & INTX_DISABLE) === 0;
  if (call !== null && setsIntx(call)) return before.type === 'none';
  const masked = (before.registers & INTX_DISABLE) !== 0;
  if (operation.kind === 'vfio.configWrite') return masked && choicesBefore.intxDisable && !choices.intxDisable;
  return masked && call !== null && unmasksIntx(call);
}

function intxSignal({ singles, choices }: DeviceView, signals: Signal[]): void {
  if (singles.intx !== null && !choices.intxDisable) signals.push({ eventfd: singles.intx, least: true });
}

/** The user writes an eventfd: the kernel takes it as an unmask where it waits for it, else the user reads it back. */
function writtenSignals(devices: readonly DeviceView[], eventfd: EventfdName, signals: Signal[]): void {
  const heard = INTX_HANDLER | INTX_STATUS | INTX_DISABLE;
  let isTaken = false;
  for (const device of devices) {
    if (device.singlesBefore.unmask !== eventfd) continue;
    isTaken = true;
    if ((device.before.registers & heard) === heard) intxSignal(device, signals);
  }
  if (!isTaken) signals.push({ eventfd, least: true });
}
