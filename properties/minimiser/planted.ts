import {
  ALLOCATED,
  ARMED,
  type Operation,
  type Scenario,
  type Step,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';
import { specify } from '../../model/reference.ts';

/** What a planted fault has seen of a run on device 0. Whole numbers only, so that it can be told as text. */
export interface Seen {
  /** MSI-X vectors with a trigger, and with a Linux irq. */
  readonly armed: number;
  readonly allocated: number;
  /** What a fault counts for itself. */
  readonly count: number;
  readonly other: number;
}

/** A fault of which it is known how short it can be shown. */
export interface Planted {
  readonly name: string;
  /** A shortest sequence, in the notation; a test tries every shorter one. */
  readonly shortest: readonly string[];
  /**
   * What it makes of one step: that it fails, or the counts from there on.
   * @param before what it had seen, with `armed` and `allocated` as they were before the step
   */
  readonly look: (operation: Operation, step: Step, before: Seen, after: Seen) => 'fails' | Partial<Seen>;
}

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const OFF = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';
const UNCHANGED: Partial<Seen> = {};

const signals = ({ events }: Step): boolean => events.some(({ kind }) => kind === 'signalled');
const isMsix = (operation: Operation): operation is VfioSetIrqs =>
  operation.kind === 'vfio.setIrqs' && operation.index === VFIO_PCI_MSIX_IRQ_INDEX;
const isOff = (before: Seen, after: Seen): boolean => before.armed > 0 && after.armed === 0;
const isOdd = (count: number): boolean => count % 2 === 1;
const failsIf = (condition: boolean): 'fails' | Partial<Seen> => (condition ? 'fails' : UNCHANGED);

/** Plain ones, ones of parity and of counts, and ones of numbers that have to fit each other. */
export const PLANTED: readonly Planted[] = [
  {
    name: 'an event that is signalled',
    shortest: [`${SET} 0+1 [e0]`, 'device.raise 0'],
    look: (operation, step) => failsIf(operation.kind === 'device.raise' && signals(step)),
  },
  {
    name: 'disabled with an odd number of triggers above one',
    shortest: [`${SET} 0+3 [e0 e0 e0]`, OFF],
    look: (_operation, _step, before, after) =>
      failsIf(isOff(before, after) && before.armed > 1 && isOdd(before.armed)),
  },
  {
    name: 'disabled twice with an even number of triggers',
    shortest: [`${SET} 0+2 [e0 e0]`, OFF, `${SET} 0+2 [e0 e0]`, OFF],
    look: (_operation, _step, before, after) => {
      if (!isOff(before, after) || isOdd(before.armed)) return UNCHANGED;
      return before.count === 1 ? 'fails' : { count: 1 };
    },
  },
  {
    name: 'every third event that is signalled',
    shortest: [`${SET} 0+1 [e0]`, 'device.raise 0', 'device.raise 0', 'device.raise 0'],
    look: (operation, step, { count }) => {
      if (operation.kind !== 'device.raise' || !signals(step)) return UNCHANGED;
      return count === 2 ? 'fails' : { count: count + 1 };
    },
  },
  {
    name: 'an odd number of triggers after an even one, without a disable',
    shortest: [`${SET} 0+2 [e0 e0]`, `${SET} 0+1 [-1]`, 'device.raise 1'],
    look: (operation, step, before, after) => {
      if (before.armed > 0 && !isOdd(before.armed) && isOdd(after.armed)) return { count: 1 };
      if (isOff(before, after)) return { count: 0 };
      return failsIf(before.count === 1 && operation.kind === 'device.raise' && signals(step));
    },
  },
  {
    name: 'a range beyond the limit by exactly one',
    shortest: ['host.limitVectors 0', `${SET} 0+1 [e0]`],
    look: (operation, _, { count, allocated }) => {
      if (operation.kind === 'host.limitVectors') return { count: operation.count + 1 };
      return failsIf(isMsix(operation) && allocated === 0 && operation.count > 0 && operation.count === count);
    },
  },
  {
    name: 'an allocation that fails at the last of several vectors',
    shortest: ['host.failAllocation 2', `${SET} 0+2 [e0 e0]`],
    look: (operation, { outcome }, { count }) => {
      if (operation.kind === 'host.failAllocation') return { count: operation.nth };
      return failsIf(isMsix(operation) && outcome.kind !== 'ok' && count > 1 && operation.count === count);
    },
  },
  {
    name: 'a failed call after which an event is signalled',
    shortest: [`${SET} 0+1 [e0]`, `${SET} 1+1 [bad]`, 'device.raise 0'],
    look: (operation, step, { count, armed }) => {
      if (isMsix(operation) && step.outcome.kind === 'errno' && armed > 0) return { count: 1 };
      return failsIf(count === 1 && operation.kind === 'device.raise' && signals(step));
    },
  },
  {
    name: 'closed with two descriptors and a trigger',
    shortest: ['vfio.open', `${SET} 0+1 [e0]`, 'vfio.close'],
    look: (operation, _, { count, armed }) => {
      if (operation.kind === 'vfio.open') return { count: count + 1 };
      if (operation.kind !== 'vfio.close') return UNCHANGED;
      return count > 0 && armed > 0 ? 'fails' : { count: Math.max(0, count - 1) };
    },
  },
  {
    name: 'bus master off and on, and then an event',
    shortest: ['vfio.configWrite busMaster 0', 'vfio.configWrite busMaster 1', `${SET} 0+1 [e0]`, 'device.raise 0'],
    look: (operation, step, { count }) => {
      if (operation.kind === 'vfio.configWrite' && operation.field === 'busMaster' && step.outcome.kind === 'ok')
        return { count: operation.value === 0 ? 1 : Math.min(2, count * 2) };
      return failsIf(count === 2 && operation.kind === 'device.raise' && signals(step));
    },
  },
  {
    name: 'set up again after an event in the gap, with another parity',
    shortest: [`${SET} 0+1 [e0]`, 'device.arm 0 teardown-gap', OFF, `${SET} 0+2 [e0 e0]`],
    look: (operation, step, before, { armed }) => {
      const isInGap = step.events.some((event) => event.kind === 'raised' && event.window === 'teardown-gap');
      if (isInGap && before.armed > 0) return { count: 1, other: before.armed % 2 };
      return failsIf(before.count === 1 && isMsix(operation) && armed > 0 && armed % 2 !== before.other);
    },
  },
  {
    name: 'every second reset with a trigger',
    shortest: [`${SET} 0+1 [e0]`, 'vfio.reset', 'vfio.reset'],
    look: (operation, { outcome }, { armed, count }) => {
      if (operation.kind !== 'vfio.reset' || outcome.kind !== 'ok' || armed === 0) return UNCHANGED;
      return count === 1 ? 'fails' : { count: 1 };
    },
  },
  {
    name: 'as many events that are signalled as the limit says',
    shortest: ['host.limitVectors 1', `${SET} 0+1 [e0]`, 'device.raise 0'],
    look: (operation, step, { count, other }) => {
      if (operation.kind === 'host.limitVectors') return { count: operation.count, other: 0 };
      if (operation.kind !== 'device.raise' || !signals(step)) return UNCHANGED;
      return other + 1 === count ? 'fails' : { other: other + 1 };
    },
  },
  {
    name: 'an odd number of opens and of waits for a second allocation, and then an event',
    shortest: ['vfio.open', 'host.failAllocation 2', `${SET} 0+1 [e0]`, 'device.raise 0'],
    look: (operation, step, { count, other }) => {
      if (operation.kind === 'vfio.open') return { count: (count + 1) % 2 };
      if (operation.kind === 'host.failAllocation' && operation.nth > 1) return { other: (other + 1) % 2 };
      return failsIf(count === 1 && other === 1 && operation.kind === 'device.raise' && signals(step));
    },
  },
  {
    name: 'closed with an event pending, or an event after close and open',
    shortest: ['device.raise 0', 'vfio.close'],
    look: (operation, { events }, { count, other }) => {
      if (operation.kind === 'vfio.close') return other > 0 ? 'fails' : { count: 1 };
      if (operation.kind === 'vfio.open') return { count: count === 1 ? 2 : count };
      if (!events.some(({ kind }) => kind === 'raised')) return UNCHANGED;
      return count === 2 ? 'fails' : { other: count === 0 ? 1 : other };
    },
  },
];

/** What a planted fault makes of a scenario: whether it fails, and what it has counted. */
export function lookAt({ look }: Planted, scenario: Scenario): { readonly fails: boolean; readonly seen: Seen } {
  const { steps } = specify(scenario);
  const states = new Map<number, number>();
  let seen: Seen = { armed: 0, allocated: 0, count: 0, other: 0 };
  for (const [place, step] of steps.entries()) {
    const operation = scenario.operations[place];
    if (operation === undefined) break;
    for (const { vector, state } of step.observation[0]?.changes ?? []) states.set(vector, state);
    const with_ = (bit: number): number => [...states.values()].filter((state) => (state & bit) !== 0).length;
    const after = { ...seen, armed: with_(ARMED), allocated: with_(ALLOCATED) };
    const verdict = look(operation, step, seen, after);
    if (verdict === 'fails') return { fails: true, seen };
    seen = { ...after, ...verdict };
  }
  return { fails: false, seen };
}
