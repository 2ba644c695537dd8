import * as vocabulary from '#vocabulary';
import { isEventfdName } from '#vocabulary';
import { VectorMap, VectorSet } from './by-vector.ts';
import { placesOf } from './calls.ts';
import { type Delivery, deliverable } from './deliveries.ts';
import { ascending, type Breach, type Invariant, KEPT, type Watch } from './invariant.ts';
import { watchLostMessages } from './lost-message.ts';
import { watchLostCompletions } from './mdev-lost.ts';
import { flags, type Label, type Memory, remembering, type Words } from './memory.ts';
import { type DeviceView, isUntouched, type Moment, type Transition } from './moment.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const { ARMED, PENDING, UNMASKED } = vocabulary;

/** An event that was neither delivered nor kept. */
export interface Gone {
  /** The step at which interrupts had last been turned off, or null where they were on: the vector had no handler. */
  readonly turnedOffAt: number | null;
  readonly raisedAt: number;
}

/** What is owed to the user of one device. */
export class Debts implements Memory<Debts> {
  /** Vectors the user has armed since the first open and has not given up. */
  readonly wanted = new VectorSet();
  /** Events of wanted vectors that are gone, by vector. */
  readonly gone = new VectorMap<Gone>();
  /** The step at which MSI-X or MSI was last turned off. */
  turnedOffAt = -1;

  /** The user gives all vectors up by closing the device. */
  forget(): void {
    this.wanted.clear();
    this.gone.clear();
  }

  become(other: Debts): void {
    this.wanted.become(other.wanted);
    this.gone.become(other.gone);
    this.turnedOffAt = other.turnedOffAt;
  }

  tell(words: Words, label: Label): void {
    words.put(label(this.turnedOffAt));
  }

  tellVector(vector: number, words: Words, label: Label): void {
    const gone = this.gone.get(vector);
    words.put(flags(this.wanted.has(vector), gone !== undefined, gone?.turnedOffAt === null));
    if (gone === undefined) return;
    words.put(label(gone.turnedOffAt ?? -1));
    words.put(label(gone.raisedAt));
  }
}

/**
 * Every event that the user waits for arrives, at once or after having been pending, and events of one vector may
 * merge while it is pending.
 * An event that vanished while MSI-X or MSI was off, or while MSI, which has no pending bits, had no handler for it, is
 * lost when the user arms the vector again without having closed the device.
 * What the user has chosen not to hear is not lost: with bus mastering off, in D3hot, with MSI turned off by hand.
 * Where there is a guest, it is its messages that are owed: see `watchLostMessages`.
 */
export const noLostInterrupt: Invariant = {
  id: 'no-lost-interrupt',
  promise:
    'Every event of a vector in use reaches its eventfd, or its guest as a message, or stays pending until it can.',
  source: 'PCIe 6.0, 6.1.4.5; the question of the VFIO MSI-X virtualization mail of 2021',
  start: (): Watch =>
    remembering(
      () => new Debts(),
      (moment: Moment, debts): readonly Breach[] => {
        const { devices } = moment;
        let breaches = missingSignals(moment);
        for (let place = 0; place < devices.length; place += 1) {
          const device = devices[place];
          if (device === undefined || isUntouched(device, moment)) continue;
          breaches = follow(moment, device, debts.of(place), breaches);
        }
        return breaches;
      },
    ),
  startGuest: watchLostMessages,
  startMdev: watchLostCompletions,
  startMdevGuest: watchLostMessages,
};

function follow(moment: Moment, device: DeviceView, owed: Debts, sofar: readonly Breach[]): readonly Breach[] {
  const { before, after, raised, transitions } = device;
  let breaches = sofar;
  // Nearly always there is nothing to settle.
  const owesNobody = owed.gone.isEmpty;
  for (let at = 0; at < transitions.length; at += 1) {
    const transition = transitions[at] as Transition;
    if (!owesNobody || isOrWasPending(transition)) breaches = settle(moment, device, owed, transition, breaches);
  }
  if (before.type !== after.type && after.type === 'none') owed.turnedOffAt = moment.index;
  if (!after.held) owed.forget();
  if (moment.device === device) giveUp(moment, owed);
  if (raised.length > 0) breaches = note(moment, device, owed, breaches);
  for (let at = 0; at < transitions.length; at += 1) {
    const transition = transitions[at] as Transition;
    if ((transition.after & ARMED) !== 0) owed.wanted.add(transition.vector);
  }
  return breaches;
}

function missingSignals(moment: Moment): readonly Breach[] {
  let breaches = KEPT;
  for (let at = 0; at < moment.deliveries.length; at += 1) {
    const { eventfd, counted, least } = moment.deliveries[at] as Delivery;
    if (counted < least)
      breaches = [...breaches, breach(moment, `${eventfd} was signalled ${counted} times where ${least} were owed`)];
  }
  return breaches;
}

function breach({ index }: Moment, message: string): Breach {
  return { step: index, causes: [index], message };
}

function isOrWasPending({ before, after }: Transition): boolean {
  return ((before | after) & PENDING) !== 0;
}

/** Looks whether a vector that lost an event is armed again, and whether a pending bit went away by itself. */
function settle(
  moment: Moment,
  device: DeviceView,
  owed: Debts,
  { vector, before, after }: Transition,
  sofar: readonly Breach[],
): readonly Breach[] {
  let breaches = sofar;
  if ((after & PENDING) !== 0 && device.after.type === 'msix' && deliverable(device, vector))
    breaches = [...breaches, breach(moment, `vector ${vector} is pending and nothing keeps it back`)];
  const lost = (after & ARMED) !== 0 && (before & ARMED) === 0 ? owed.gone.get(vector) : undefined;
  if (lost !== undefined) {
    owed.gone.delete(vector);
    // A message that has waited for its first handler is delivered with it, which is counted elsewhere.
    if (!device.waiting.has(vector)) breaches = [...breaches, neverCame(moment, vector, lost)];
  }
  const goes = (before & PENDING) !== 0 && (after & PENDING) === 0;
  if (goes && !rearms(moment, device, vector) && !resets(moment, device)) {
    const message = `the pending bit of vector ${vector} went away and nothing was delivered`;
    breaches = [...breaches, breach(moment, message)];
  }
  return breaches;
}

function neverCame({ index }: Moment, vector: number, lost: Gone): Breach {
  const message = `${lossInWords(vector, lost)}; it is armed again and the event never came`;
  return { step: index, causes: ascending([lost.turnedOffAt ?? lost.raisedAt, lost.raisedAt, index]), message };
}

function lossInWords(vector: number, { turnedOffAt }: Gone): string {
  if (turnedOffAt === null) return `vector ${vector} raised while it had no handler, and MSI keeps no event`;
  return `vector ${vector} raised in the teardown-gap, after operation ${turnedOffAt} had turned its interrupts off`;
}

/**
 * Whether the operation sets a trigger for the vector, so that its pending event is delivered (which is counted
 * elsewhere).
 */
function rearms({ arming, device }: Moment, at: DeviceView, vector: number): boolean {
  if (device !== at || arming === null) return false;
  return isEventfdName(arming.data[vector - arming.start]);
}

/** Whether the operation resets the function, which drops what was pending: that is what it was asked for. */
function resets({ kind, device }: Moment, at: DeviceView): boolean {
  if (device !== at || at.config.reset !== true) return false;
  return kind === 'vfio.reset' || (kind.startsWith('vfio.') && at.before.held !== at.after.held);
}

/** Takes down which events went nowhere. */
function note(moment: Moment, device: DeviceView, owed: Debts, sofar: readonly Breach[]): readonly Breach[] {
  let breaches = sofar;
  for (const vector of device.raised) {
    const wrong = noteRaise(moment, device, vector, owed);
    if (wrong !== null) breaches = [...breaches, breach(moment, `vector ${vector} raised while ${wrong}`)];
  }
  return breaches;
}

/** Why a raise should have been told or kept; null where it was, or need not be. */
function noteRaise({ index }: Moment, device: DeviceView, vector: number, owed: Debts): string | null {
  const { after } = device;
  const state = device.stateAfter(vector);
  if (deliverable(device, vector) || (state & PENDING) !== 0 || isChosen(device, vector)) return null;
  if (after.type === 'msix' || (state & ARMED) !== 0) {
    const masked = after.type === 'msix' && (state & UNMASKED) === 0;
    return masked ? 'its entry is masked, and its pending bit is not set' : 'it is armed, and it got lost';
  }
  if (!owed.wanted.has(vector)) return null;
  const turnedOffAt = after.type === 'msi' ? null : owed.turnedOffAt;
  owed.gone.set(vector, { turnedOffAt, raisedAt: index });
  return null;
}

/** Whether the function has nothing to tell of this vector, or its user does not want to be told. */
function isChosen({ config, choices, after }: DeviceView, vector: number): boolean {
  const byMsi = after.type === 'msi' || (after.type !== 'msix' && config.msixVectors === 0);
  const has = byMsi ? (config.msiVectors ?? 0) : config.msixVectors;
  const notGiven = vector > 0 && choices.oneMessage;
  const turnedOff = after.type === 'msi' && (notGiven || choices.msiOff);
  return config.silent === true || vector >= has || choices.inD3hot || !choices.busMaster || turnedOff;
}

/** The user gives a vector up by removing its trigger. */
function giveUp({ arming, granted }: Moment, owed: Debts): void {
  if (arming === null || !granted) return;
  const places = placesOf(arming);
  for (let place = 0; place < places; place += 1) {
    if (isEventfdName(arming.data[place])) continue;
    owed.wanted.delete(arming.start + place);
    owed.gone.delete(arming.start + place);
  }
}
