import * as vocabulary from '#vocabulary';
import {
  type DeviceObservation,
  type Event,
  type EventfdName,
  isEventfdName,
  type Operation,
  type PciFunction,
  type Step,
  type VectorChange,
  type VfioConfigWrite,
} from '#vocabulary';
import { ByVector, VectorSet } from './by-vector.ts';
import { type Call, type IrqType, placesOf, setsIntx, setsUnmaskEventfd } from './calls.ts';
import { flags, type Memory, tellText, type Words } from './memory.ts';
import type { Asked, Choices, DeviceView, Registers, SingleTriggers, Transition, TriggerView } from './moment.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const {
  ALLOCATED,
  ARMED,
  INTX_HANDLER,
  MSI_ENABLE,
  MSI_MESSAGE,
  PENDING,
  UNMASKED,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_ERR_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
} = vocabulary;

const FRESH: Choices = { busMaster: true, inD3hot: false, msiOff: false, oneMessage: false, intxDisable: false };
const UNCHANGED: readonly Transition[] = [];
const NOT_RAISED: readonly number[] = [];
const IRQ_TYPES: readonly IrqType[] = ['none', 'intx', 'msi', 'msix'];
const NO_SINGLES: SingleTriggers = { intx: null, unmask: null, err: null, req: null };

/** The view of one device, moved on from step to step. */
export class FollowedDevice implements DeviceView, Memory<FollowedDevice> {
  readonly config: PciFunction;
  before: Registers = {
    open: false,
    held: false,
    type: 'none',
    enable: false,
    functionMask: false,
    infoFlags: 0,
    registers: 0,
    allocated: 0,
    armed: 0,
  };
  after: Registers = this.before;
  choicesBefore = FRESH;
  choices = FRESH;
  transitions: readonly Transition[] = UNCHANGED;
  raised: readonly number[] = NOT_RAISED;
  singlesBefore = NO_SINGLES;
  singles = NO_SINGLES;
  readonly wiped = new VectorSet();
  readonly unsure = new VectorSet();
  readonly pendingBefore = new VectorSet();
  readonly waiting = new VectorSet();
  mappings = 0;
  /** Vectors that have had a trigger since the type was set up. */
  readonly onceArmed = new VectorSet();
  readonly nowWaiting = new VectorSet();
  readonly pending = new VectorSet();
  readonly statesNow = new ByVector(0);
  readonly triggers = new ByVector<TriggerView | null>(null);

  constructor(config: PciFunction, initial: DeviceObservation | undefined) {
    this.config = config;
    if (initial !== undefined) this.#observe(initial);
  }

  become(other: FollowedDevice): void {
    this.after = other.after;
    this.choices = other.choices;
    this.singles = other.singles;
    this.transitions = UNCHANGED;
    this.mappings = other.mappings;
    this.pending.become(other.pending);
    this.statesNow.become(other.statesNow);
    this.triggers.become(other.triggers);
    this.wiped.become(other.wiped);
    this.unsure.become(other.unsure);
    this.onceArmed.become(other.onceArmed);
    this.nowWaiting.become(other.nowWaiting);
  }

  tell(words: Words): void {
    const { open, held, type, enable, functionMask, infoFlags, registers } = this.after;
    const { busMaster, inD3hot, msiOff, oneMessage, intxDisable } = this.choices;
    words.put(
      flags(open, held, enable, functionMask) +
        flags(busMaster, inD3hot, msiOff, oneMessage) * 0x10 +
        flags(intxDisable) * 0x100 +
        IRQ_TYPES.indexOf(type) * 0x200,
    );
    words.put(infoFlags);
    words.put(registers);
    words.put(this.mappings);
    const { intx, unmask, err, req } = this.singles;
    for (const trigger of [intx, unmask, err, req]) tellText(trigger ?? '', words);
  }

  /** What only MSI waits for is not remembered of MSI-X. */
  tellVector(vector: number, words: Words): void {
    const isMsi = this.after.type === 'msi';
    const msi = flags(
      isMsi && this.unsure.has(vector),
      isMsi && this.onceArmed.has(vector),
      isMsi && this.nowWaiting.has(vector),
      this.wiped.has(vector),
    );
    words.put(this.stateAfter(vector) * 0x10 + msi);
    tellText(this.trigger(vector) ?? '', words);
  }

  stateAfter(vector: number): number {
    return this.statesNow.of(vector);
  }

  states(): Iterable<readonly [number, number]> {
    return this.statesNow.entries();
  }

  trigger(vector: number): TriggerView | null {
    return this.triggers.of(vector);
  }

  /** Half of all steps neither change anything nor have an event: what follows from those is not looked for then. */
  follow(place: number, asked: Asked): void {
    const { step, arming } = asked;
    const own = asked.place === place;
    this.#begin();
    if (own && asked.granted) this.#followGranted(asked);
    if (asked.place === -1) this.#followUser(asked.operation);
    // A system that died in this step has shown nothing.
    const observation = step.observation[place];
    if (observation !== undefined) this.#observe(observation);
    if (this.after !== this.before) this.#followChange(own && asked.kind === 'device.wipe');
    if (this.singles !== NO_SINGLES) this.#endSingles();
    if (own && arming !== null) this.#followArming(arming, asked.granted);
    if (step.events.length > 0) this.#followRaises(place, step);
  }

  /** What is now is before from here on. */
  #begin(): void {
    this.before = this.after;
    this.choicesBefore = this.choices;
    this.singlesBefore = this.singles;
    this.raised = NOT_RAISED;
    this.transitions = UNCHANGED;
    this.pendingBefore.become(this.pending);
    this.waiting.become(this.nowWaiting);
  }

  /** What an operation that succeeded has done, by what it asked. */
  #followGranted({ operation, call, arming }: Asked): void {
    if (arming !== null) this.#setTriggers(arming);
    else if (call !== null) this.#setSingle(call);
    else this.#followOther(operation);
  }

  #followOther(operation: Operation): void {
    switch (operation.kind) {
      case 'vfio.mapBar':
        this.mappings += 1;
        return;
      case 'vfio.unmapBar':
        this.mappings = Math.max(0, this.mappings - 1);
        return;
      case 'vfio.configWrite':
        this.#choose(operation);
        return;
      case 'vfio.reset':
        this.choices = chosen(this.choices, { inD3hot: false, msiOff: false, oneMessage: false });
        return;
    }
  }

  /** What the user does with eventfds is about every device. */
  #followUser(operation: Operation): void {
    if (operation.kind === 'vfio.closeEventfd') this.#forgetEventfd(operation.eventfd);
  }

  #observe(observation: DeviceObservation): void {
    const { enable, functionMask, msixInfoFlags, registers, changes } = observation;
    if (changes.length === 0 && this.#isSeen(observation)) return;
    const open = msixInfoFlags !== 0;
    const transitions = new Array<Transition>(changes.length);
    let { allocated, armed } = this.before;
    for (let at = 0; at < changes.length; at += 1) {
      const transition = this.#observeVector(changes[at] as VectorChange);
      const { before, after } = transition;
      transitions[at] = transition;
      allocated += (after & ALLOCATED) - (before & ALLOCATED);
      armed += ((after & ARMED) - (before & ARMED)) / ARMED;
    }
    this.transitions = transitions;
    this.after = {
      open,
      held: open || this.mappings > 0,
      type: typeSeen(enable, allocated, registers),
      enable,
      functionMask,
      infoFlags: msixInfoFlags,
      registers,
      allocated,
      armed,
    };
  }

  #observeVector({ vector, state }: VectorChange): Transition {
    const before = this.stateAfter(vector);
    this.statesNow.set(vector, state);
    if ((state & PENDING) > (before & PENDING)) this.pending.add(vector);
    if ((state & PENDING) < (before & PENDING)) this.pending.delete(vector);
    return { vector, before, after: state };
  }

  /** Whether all that is read of the device besides its vectors is as it was. */
  #isSeen({ enable, functionMask, msixInfoFlags, registers }: DeviceObservation): boolean {
    const { after } = this;
    return (
      after.enable === enable &&
      after.functionMask === functionMask &&
      after.infoFlags === msixInfoFlags &&
      after.registers === registers &&
      after.held === (after.open || this.mappings > 0)
    );
  }

  #choose({ field, value }: VfioConfigWrite): void {
    switch (field) {
      case 'busMaster':
        this.choices = chosen(this.choices, { busMaster: value === 1 });
        return;
      case 'power':
        this.choices = chosen(this.choices, { inD3hot: value === 3 });
        return;
      case 'intxDisable':
        this.choices = chosen(this.choices, { intxDisable: value === 1 });
        return;
      case 'msiEnable':
        if (this.before.type === 'msi') this.choices = chosen(this.choices, { msiOff: value === 0, oneMessage: true });
        return;
      case 'memory':
      case 'msixControl':
        return;
    }
  }

  /** The trigger of INTx lasts as long as INTx is set up, all of them as long as the device is held. */
  #endSingles(): void {
    const { intx, unmask, err, req } = this.singles;
    if (this.after.type !== 'intx' && (intx !== null || unmask !== null))
      this.singles = { intx: null, unmask: null, err, req };
    if (!this.after.held) this.singles = NO_SINGLES;
  }

  #forgetEventfd(eventfd: EventfdName): void {
    for (let vector = 0; vector < this.triggers.length; vector += 1)
      if (this.triggers.of(vector) === eventfd) this.triggers.set(vector, 'unseen');
    const { intx, unmask, err, req } = this.singles;
    if (intx !== eventfd && unmask !== eventfd && err !== eventfd && req !== eventfd) return;
    const forgotten = (trigger: TriggerView | null): TriggerView | null => (trigger === eventfd ? 'unseen' : trigger);
    this.singles = {
      intx: forgotten(intx),
      unmask: unmask === eventfd ? null : unmask,
      err: forgotten(err),
      req: forgotten(req),
    };
  }

  #setTriggers(call: Call): void {
    const { start, data } = call;
    const places = placesOf(call);
    for (let place = 0; place < places; place += 1) {
      const element = data[place];
      this.triggers.set(start + place, isEventfdName(element) ? element : null);
    }
  }

  #setSingle(call: Call): void {
    if (call.type === 'msi' || call.type === 'msix') return;
    const { intx, unmask, err, req } = this.singles;
    const element = call.data[0];
    const name = isEventfdName(element) ? element : null;
    this.singles = {
      intx: setsIntx(call) ? name : intx,
      unmask: setsUnmaskEventfd(call) ? name : unmask,
      err: call.index === VFIO_PCI_ERR_IRQ_INDEX ? contextAfter(err, call) : err,
      req: call.index === VFIO_PCI_REQ_IRQ_INDEX ? contextAfter(req, call) : req,
    };
  }

  /**
   * What cannot be read from one observation: which vectors have had a handler, or have lost their entry. What the user
   * has chosen lasts as long as what it is about.
   */
  #followChange(wipes: boolean): void {
    const { before, after, choices } = this;
    if (after.type !== before.type) {
      this.onceArmed.clear();
      this.nowWaiting.clear();
      this.unsure.clear();
      this.wiped.clear();
      if (choices.msiOff || choices.oneMessage) this.choices = chosen(choices, { msiOff: false, oneMessage: false });
    }
    if (before.held && !after.held) this.choices = FRESH;
    for (let at = 0; at < this.transitions.length; at += 1)
      this.#followTransition(this.transitions[at] as Transition, wipes);
  }

  #followTransition({ vector, after }: Transition, wipes: boolean): void {
    const isArmed = (after & ARMED) !== 0;
    if (wipes && isArmed && (after & UNMASKED) === 0) this.wiped.add(vector);
    if ((after & UNMASKED) !== 0 || !isArmed) this.wiped.delete(vector);
    if (!isArmed) this.triggers.set(vector, null);
    else if (this.after.type === 'msi') {
      this.onceArmed.add(vector);
      this.nowWaiting.delete(vector);
    }
  }

  /** A vector that is given a trigger is given its entry; where the call failed, it may have had both for a moment. */
  #followArming({ start, data }: Call, granted: boolean): void {
    // Nearly always nothing is wiped.
    if (granted && this.wiped.isEmpty) return;
    for (let place = 0; place < data.length; place += 1) {
      if (!isEventfdName(data[place])) continue;
      if (granted) this.wiped.delete(start + place);
      else this.unsure.add(start + place);
    }
  }

  /** What was raised, and which MSI vectors wait for their first handler with it. */
  #followRaises(place: number, { events }: Step): void {
    let raised: number[] | null = null;
    for (let at = 0; at < events.length; at += 1) {
      const event = events[at] as Event;
      if (event.kind !== 'raised' || event.device !== place) continue;
      // A list that is pushed to while it is empty takes room for many.
      if (raised === null) raised = [event.vector];
      else raised.push(event.vector);
    }
    if (raised === null) return;
    this.raised = raised;
    if (this.after.type !== 'msi') return;
    for (const vector of raised) {
      if (!sendsMsi(this, vector)) continue;
      const unheard = (this.stateAfter(vector) & (ALLOCATED | ARMED)) === ALLOCATED && !this.onceArmed.has(vector);
      if (unheard) this.nowWaiting.add(vector);
    }
  }
}

/** Whether a message of an MSI function leaves it and has somewhere to go. */
export function sendsMsi({ after, choices }: DeviceView, vector: number): boolean {
  const sends = MSI_ENABLE | MSI_MESSAGE;
  const has = (after.registers & sends) === sends && (vector === 0 || !choices.oneMessage);
  return has && choices.busMaster && !choices.inD3hot;
}

/** Choices that are all of one shape, which a spread that overwrites is not: every promise reads them. */
function chosen({ busMaster, inD3hot, msiOff, oneMessage, intxDisable }: Choices, now: Partial<Choices>): Choices {
  return {
    busMaster: now.busMaster ?? busMaster,
    inD3hot: now.inD3hot ?? inD3hot,
    msiOff: now.msiOff ?? msiOff,
    oneMessage: now.oneMessage ?? oneMessage,
    intxDisable: now.intxDisable ?? intxDisable,
  };
}

function typeSeen(enable: boolean, allocated: number, registers: number): IrqType {
  if (enable) return 'msix';
  if (allocated > 0) return 'msi';
  return (registers & INTX_HANDLER) !== 0 ? 'intx' : 'none';
}

/** The ERR or REQ trigger after a call that was granted. */
function contextAfter(before: TriggerView | null, { flags, count, data }: Call): TriggerView | null {
  const [element] = data;
  if ((flags & VFIO_IRQ_SET_DATA_NONE) !== 0 && count === 0) return null;
  if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) === 0) return before;
  if (isEventfdName(element)) return element;
  return Number(element) >> 0 === -1 ? null : before;
}
