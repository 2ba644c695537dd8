import type { Precision, Scenario, Trace } from '#vocabulary';
import { EventfdMap } from '../../model/eventfd-map.ts';
import { initial, observe, step } from '../../model/machine.ts';
import { initialMdevMachine, observeMdevs, stepMdev } from '../../model/mdev-machine.ts';
import { VectorMap } from '../../model/vector-map.ts';
import { compare } from '../runner/compare.ts';

/** The model on its way through a scenario. */
interface Walk {
  readonly machine: object;
  readonly reference: Trace;
}

/**
 * What a scenario has left behind: the state of the model, and everything in which the subject was different on the
 * way. What the subject remembers and has not shown is not in it.
 */
export function stateAfter(scenario: Scenario, subject: Trace, precision: Precision): string {
  const { machine, reference } = walk(scenario, () => undefined);
  const differences = compare(scenario, reference, subject, precision).map(
    ({ path, expected, got }) => `${path} ${expected} ${got}`,
  );
  return [fingerprint(machine), ...differences].join('\n');
}

/** The places of operations after which the model is as it was before. */
export function idleOperations(scenario: Scenario): ReadonlySet<number> {
  const idle = new Set<number>();
  let before: string | null = null;
  let place = -1;
  walk(scenario, (machine) => {
    const now = fingerprint(machine);
    if (now === before) idle.add(place);
    before = now;
    place += 1;
  });
  return idle;
}

/** @param onState is shown the machine before the first operation and after each */
function walk({ config, operations }: Scenario, onState: (machine: object) => void): Walk {
  if (config.mdev !== undefined) {
    const machine = initialMdevMachine(config);
    const { observation, parent } = observeMdevs(machine);
    onState(machine);
    const steps = operations.map((operation) => {
      const done = stepMdev(machine, operation);
      onState(machine);
      return done;
    });
    return { machine, reference: { initial: observation, initialParent: parent, steps } };
  }
  const machine = initial(config);
  const first = observe(machine);
  onState(machine);
  const steps = operations.map((operation) => {
    const done = step(machine, operation);
    onState(machine);
    return done;
  });
  return { machine, reference: { initial: first, steps } };
}

/** What a machine is made of that is no state: what never changes, and what only tells of the last step. */
const NO_STATE: ReadonlySet<string> = new Set([
  ...['config', 'platform', 'host', 'hardware', 'driver', 'facts'],
  ...['calls', 'raised', 'signalled', 'delivered', 'touched', 'opened', 'events'],
  ...['reported', 'reportedToGuest', 'reportedToGuests'],
]);

/**
 * The state of a machine as text, whatever it is made of: maps and sets in the order of their keys, what is referred to
 * from two places once. Two different texts may stand for one state, but no text for two.
 */
function fingerprint(machine: object): string {
  const parts: string[] = [];
  print(machine, parts, new Map());
  return parts.join(' ');
}

function print(value: unknown, parts: string[], seen: Map<object, number>): void {
  if (typeof value !== 'object' || value === null) {
    parts.push(String(value));
    return;
  }
  const known = seen.get(value);
  if (known !== undefined) {
    parts.push(`#${known}`);
    return;
  }
  seen.set(value, seen.size);
  if (value instanceof Map || value instanceof VectorMap) printMap(value, parts, seen);
  else if (Symbol.iterator in value) printItems([...(value as Iterable<unknown>)], parts, seen);
  else {
    parts.push('<');
    for (const [name, item] of Object.entries(value)) {
      // An eventfd that nothing refers to is as good as one that was never made.
      if (NO_STATE.has(name) || typeof item === 'function' || item instanceof EventfdMap) continue;
      print(item, parts, seen);
    }
    parts.push('>');
  }
}

function printMap(map: Iterable<readonly [unknown, unknown]>, parts: string[], seen: Map<object, number>): void {
  parts.push('{');
  const entries = [...map].map(([key, item]) => [typeof key === 'object' ? '' : String(key), item] as const);
  for (const [key, item] of entries.sort(([left], [right]) => (left < right ? -1 : 1))) {
    parts.push(key);
    print(item, parts, seen);
  }
  parts.push('}');
}

/** Lists in their order; of sets only numbers are members, in theirs. */
function printItems(items: readonly unknown[], parts: string[], seen: Map<object, number>): void {
  parts.push('[');
  if (items.every((item) => typeof item === 'number'))
    parts.push([...items].sort((left, right) => left - right).join());
  else for (const item of items) print(item, parts, seen);
  parts.push(']');
}
