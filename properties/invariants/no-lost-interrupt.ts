import { ARMED, PENDING } from '#vocabulary';
import { deliverable, deliveries } from './deliveries.ts';
import { type Breach, type Invariant, KEPT, type Watch } from './invariant.ts';
import { type DeviceView, isEventfdName, type Moment, setsMsixTriggers } from './moment.ts';

/** What is owed to the user of one device. */
interface Debts {
  /** Vectors the user has armed since the first open and has not given up. */
  readonly wanted: Set<number>;
  /**
   * Events of wanted vectors that were neither delivered nor kept pending, by vector: the steps that turned MSI-X off
   * and raised.
   */
  readonly gone: Map<number, { readonly turnedOffAt: number; readonly raisedAt: number }>;
  /** The step at which MSI-X was last turned off. */
  turnedOffAt: number;
}

/**
 * Every event that the user waits for arrives, at once or after having been pending, and events of one vector may
 * merge while it is pending.
 * An event that vanished while MSI-X was off is lost when the user arms the vector again without having closed the
 * device.
 */
export const noLostInterrupt: Invariant = {
  id: 'no-lost-interrupt',
  promise: 'Every event of a vector in use reaches its eventfd, or stays pending until it can.',
  source: 'PCIe 6.0, 6.1.4.5; the question of the VFIO MSI-X virtualization mail of 2021',
  start: (): Watch => {
    const debts = new Map<number, Debts>();
    return (moment): readonly Breach[] => {
      const breaches = missingSignals(moment);
      for (const [place, device] of moment.devices.entries()) {
        const owed = debts.get(place) ?? { wanted: new Set(), gone: new Map(), turnedOffAt: -1 };
        debts.set(place, owed);
        breaches.push(...settle(moment, device, owed));
        note(moment, device, owed, breaches);
      }
      return breaches.length === 0 ? KEPT : breaches;
    };
  },
};

function missingSignals(moment: Moment): Breach[] {
  return deliveries(moment)
    .filter(({ counted, least }) => counted < least)
    .map(({ eventfd, counted, least }) => ({
      step: moment.index,
      causes: [moment.index],
      message: `${eventfd} was signalled ${counted} times where ${least} were owed`,
    }));
}

/** Looks whether a vector that lost an event is armed again, and whether a pending bit went away by itself. */
function settle(moment: Moment, device: DeviceView, owed: Debts): Breach[] {
  const breaches: Breach[] = [];
  for (const { vector, before, after } of device.transitions) {
    const armedNow = (after & ARMED) !== 0 && (before & ARMED) === 0;
    const lost = owed.gone.get(vector);
    if (armedNow && lost !== undefined) {
      owed.gone.delete(vector);
      breaches.push({
        step: moment.index,
        causes: ascending([lost.turnedOffAt, lost.raisedAt, moment.index]),
        message:
          `vector ${vector} raised in the teardown-gap, after operation ${lost.turnedOffAt} had turned MSI-X off; ` +
          'it is armed again and the event never came',
      });
    }
    if ((before & PENDING) !== 0 && (after & PENDING) === 0 && !rearms(moment, device, vector)) {
      breaches.push({
        step: moment.index,
        causes: [moment.index],
        message: `the pending bit of vector ${vector} went away and nothing was delivered`,
      });
    }
  }
  return breaches;
}

/**
 * Whether the operation sets a trigger for the vector, so that its pending event is delivered (which is counted
 * elsewhere).
 */
function rearms({ operation, device }: Moment, at: DeviceView, vector: number): boolean {
  return device === at && setsMsixTriggers(operation) && isEventfdName(operation.data[vector - operation.start]);
}

/** Takes down what the step says about vectors in use and events that went nowhere. */
function note(moment: Moment, device: DeviceView, owed: Debts, breaches: Breach[]): void {
  if (device.before.enable && !device.after.enable) owed.turnedOffAt = moment.index;
  if (moment.device === device) giveUp(moment, device, owed);
  for (const vector of device.raised) {
    const kept = deliverable(device, vector) || (device.stateAfter(vector) & PENDING) !== 0;
    if (kept || vector >= device.config.msixVectors) continue;
    if (device.after.enable) {
      breaches.push({
        step: moment.index,
        causes: [moment.index],
        message: `vector ${vector} raised while its entry is masked, and its pending bit is not set`,
      });
    } else if (owed.wanted.has(vector))
      owed.gone.set(vector, { turnedOffAt: owed.turnedOffAt, raisedAt: moment.index });
  }
  for (const { vector, after } of device.transitions) if ((after & ARMED) !== 0) owed.wanted.add(vector);
}

/** The user gives a vector up by removing its trigger, and all of them by closing the device. */
function giveUp({ operation, step }: Moment, device: DeviceView, owed: Debts): void {
  if (!device.after.open) {
    owed.wanted.clear();
    owed.gone.clear();
  }
  if (!setsMsixTriggers(operation) || step.outcome.kind !== 'ok') return;
  for (let place = 0; place < operation.count; place += 1) {
    if (isEventfdName(operation.data[place])) continue;
    owed.wanted.delete(operation.start + place);
    owed.gone.delete(operation.start + place);
  }
}

function ascending(steps: readonly number[]): readonly number[] {
  return [...new Set(steps)].filter((step) => step >= 0).sort((left, right) => left - right);
}
