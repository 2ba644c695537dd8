import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Errno,
  type Event,
  type EventfdName,
  type Outcome,
  printCall,
  printEvent,
  printOutcome,
  type VfioSetIrqs,
  type VmmCall,
} from '#vocabulary';
import { isSameCall, isSameEvent, isSameOutcome } from './same.ts';

/** So few values that two are often the same in all but one. */
const number = fc.constantFrom(0, 1, 2);

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant({ kind: 'ok' } as const),
  fc.record({ kind: fc.constant('irqInfo' as const), flags: number, count: number }),
  fc.record({ kind: fc.constantFrom('value' as const, 'positive' as const), value: number }),
  fc.record({ kind: fc.constant('status' as const), status: number }),
  fc.record({ kind: fc.constant('errno' as const), errno: fc.constantFrom<Errno>('EINVAL', 'EBUSY', 'errno 1') }),
  fc.record({ kind: fc.constant('unknown' as const), reason: fc.constantFrom('crash' as const, 'time-out' as const) }),
);

const eventfd = number.map((place): EventfdName => `e${place}`);

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    ...{ kind: fc.constant('raised' as const), device: number, vector: number },
    window: fc.constantFrom(null, 'teardown-gap' as const, 'after-set' as const),
  }),
  fc.record({ kind: fc.constant('completed' as const), device: number, descriptor: number, status: number }),
  fc.record({ kind: fc.constant('error' as const), device: number, pasid: number }),
  fc.record({ kind: fc.constant('revoked' as const), device: number }),
  fc.record({ kind: fc.constant('signalled' as const), eventfd, count: number }),
  fc.record({
    ...{ kind: fc.constant('message' as const), device: number, count: number },
    ...{ address: number, high: number, data: number },
  }),
);

const setIrqs: fc.Arbitrary<VfioSetIrqs> = fc.record({
  ...{ kind: fc.constant('vfio.setIrqs' as const), device: number, index: number, flags: number },
  ...{ start: number, count: number, data: fc.array(fc.oneof(eventfd, number), { maxLength: 2 }) },
});

const call: fc.Arbitrary<VmmCall> = fc.oneof(
  fc.record({
    kind: fc.constant('vfio' as const),
    operation: fc.oneof(setIrqs, fc.record({ kind: fc.constant('vfio.reset' as const), device: number })),
    outcome,
  }),
  fc.constant({ kind: 'kvm.setGsiRouting' } as const),
  fc.record({ kind: fc.constant('kvm.irqfd' as const), eventfd, assign: fc.boolean() }),
);

/** Two of a kind: drawn apart they differ in everything, and so one is often the other with one field changed. */
function two<Item extends object>(items: fc.Arbitrary<Item>): fc.Arbitrary<readonly [Item, Item]> {
  const mixed = fc.tuple(items, items, fc.nat()).map(([left, right, place]): readonly [Item, Item] => {
    const names = Object.keys(left).filter((name) => name in right) as (keyof Item)[];
    const name = names[place % names.length] as keyof Item;
    return 'kind' in left && 'kind' in right && left.kind === right.kind
      ? [left, { ...left, [name]: right[name] }]
      : [left, right];
  });
  return fc.oneof(mixed, fc.tuple(items, items));
}

/** Two requests with one answer. */
const answered = fc.tuple(two(setIrqs), outcome).map(([[left, right], one]): readonly [VmmCall, VmmCall] => [
  { kind: 'vfio', operation: left, outcome: one },
  { kind: 'vfio', operation: right, outcome: one },
]);

function judged<Item extends object>(
  drawn: fc.Arbitrary<readonly [Item, Item]>,
  isSame: (left: Item, right: Item) => boolean,
  print: (item: Item) => string,
): { readonly same: readonly (readonly [Item, Item])[]; readonly wrong: readonly string[] } {
  const pairs = fc.sample(drawn, { seed: 8, numRuns: 3000 });
  const same = pairs.filter(([left, right]) => isSame(left, right));
  const wrong = pairs
    .filter(([left, right]) => isSame(left, right) !== (print(left) === print(right)))
    .map(([left, right]) => `${print(left)} / ${print(right)}`);
  return { same, wrong };
}

describe('what is compared without being printed', () => {
  it('is the same outcome exactly where it prints the same', () => {
    const { same, wrong } = judged(two(outcome), isSameOutcome, printOutcome);
    expect(wrong).toEqual([]);
    expect(new Set(same.map(([{ kind }]) => kind)).size).toBe(7);
  });

  it('is the same event exactly where it prints the same', () => {
    const { same, wrong } = judged(two(event), isSameEvent, printEvent);
    expect(wrong).toEqual([]);
    expect(new Set(same.map(([{ kind }]) => kind)).size).toBe(6);
  });

  it('is the same call exactly where it prints the same, whichever device it is of', () => {
    const { same, wrong } = judged(fc.oneof(two(call), answered), isSameCall, printCall);
    expect(wrong).toEqual([]);
    expect(new Set(same.map(([{ kind }]) => kind)).size).toBe(3);
  });
});
