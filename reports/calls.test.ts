import { describe, expect, it } from 'vitest';
import { type VmmCall, vmmEventfd } from '#vocabulary';
import { callLines, callsBeside, shortened } from './calls.ts';

function irqfd(vector: number): VmmCall {
  return { kind: 'kvm.irqfd', eventfd: vmmEventfd(0, 'irqfd', vector), assign: true };
}

function numbered(count: number, make: (place: number) => string): string {
  return Array.from({ length: count }, (_, place) => make(place)).join(' ');
}

describe('a list in brackets', () => {
  it.each([
    ['is whole while it is short', numbered(10, (place) => `i${place}`), numbered(10, (place) => `i${place}`)],
    ['is its ends where it goes on without a gap', numbered(64, (place) => `i${place}`), 'i0 .. i63'],
    ['counts what is equal', `${numbered(63, () => '-1')} k63`, '-1 x63 k63'],
    ['keeps its parts', `${numbered(32, (place) => `k${place}`)} i32 i33`, 'k0 .. k31 i32 i33'],
    [
      'is its beginning where it has no order',
      numbered(12, (place) => `i${place * 2}`),
      'i0 i2 i4 i6 i8 i10 ... 6 more',
    ],
  ])('%s', (_, list, short) => {
    expect(shortened(`0+9 [${list}]: ok`)).toBe(`0+9 [${short}]: ok`);
  });
});

describe('the calls of a reaction', () => {
  it('are a line each', () => {
    expect(callLines([{ kind: 'kvm.setGsiRouting' }, irqfd(0), irqfd(1)])).toEqual([
      'kvm.setGsiRouting',
      'kvm.irqfd k0 assign',
      'kvm.irqfd k1 assign',
    ]);
  });

  it('are counted where they are alike', () => {
    const calls = Array.from({ length: 64 }, (_, vector) => irqfd(vector));
    expect(callLines([{ kind: 'kvm.setGsiRouting' }, ...calls])).toEqual([
      'kvm.setGsiRouting',
      'kvm.irqfd k0 assign',
      '... 62 more alike ...',
      'kvm.irqfd k63 assign',
    ]);
  });

  it('are told from both ends where there are many', () => {
    const calls = Array.from({ length: 40 }, (_, vector) => irqfd(vector * 2));
    const lines = callLines(calls);
    expect(lines).toHaveLength(14);
    expect(lines.slice(9)).toEqual([
      'kvm.irqfd k18 assign',
      '... 27 more lines ...',
      'kvm.irqfd k74 assign',
      'kvm.irqfd k76 assign',
      'kvm.irqfd k78 assign',
    ]);
  });
});

describe('calls beside others', () => {
  it.each([
    ['the same', ['a', 'b'], ['a', 'b'], []],
    ['others from the beginning', ['c'], ['a', 'b'], ['c']],
    ['others after the same', ['a', 'b', 'd'], ['a', 'b', 'c'], ['... the same 2 lines ...', 'd']],
    ['fewer', ['a'], ['a', 'b'], ['... the same call ...', '(no more calls)']],
    ['none', [], ['a'], ['(no more calls)']],
  ])('are told as far as they differ: %s', (_, calls, others, told) => {
    expect(callsBeside(calls, others)).toEqual(told);
  });
});
