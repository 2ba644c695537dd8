import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventfdName } from '#vocabulary';
import { digitOf, EventfdMap } from './eventfd-map.ts';

/** Names on both sides of the last digit, and those of a VMM. */
const name = fc.constantFrom<EventfdName>('e0', 'e1', 'e5', 'e9', 'e10', 'e11', 'e99', 'e4000', 'e10000');
const call = fc.record({ kind: fc.constantFrom('get', 'set', 'set', 'delete'), name, value: fc.nat() });

describe('a map by eventfds', () => {
  it('answers as a Map does after any calls', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const map = new EventfdMap<number>();
        const plain = new Map<EventfdName, number>();
        for (const { kind, name, value } of calls) {
          expect(map.get(name)).toBe(plain.get(name));
          if (kind === 'set') {
            map.set(name, value);
            plain.set(name, value);
          }
          if (kind === 'delete') {
            map.delete(name);
            plain.delete(name);
          }
          expect(map.size).toBe(plain.size);
        }
        expect(map.values().sort()).toEqual([...plain.values()].sort());
      }),
    );
  });
});

describe('the digit of an eventfd', () => {
  it('is its number, where that is one digit', () => {
    expect((['e0', 'e9', 'e10', 'e123'] as const).map(digitOf)).toEqual([0, 9, -1, -1]);
  });
});
