import { describe, expect, it } from 'vitest';
import {
  A_DYNAMIC,
  AK,
  AU,
  assign,
  BK,
  BU,
  blk,
  CK,
  CU,
  calls,
  DIS,
  DISABLE,
  DK,
  DU,
  deassign,
  dis,
  EN0,
  ENABLE,
  ENABLE_MASKED,
  IDIS,
  INTX_DOWN_K,
  INTX_UP_K,
  ISET,
  ISET_FAILS,
  lastCalls,
  mask,
  RESET,
  ROUTES,
  raise,
  reads,
  type Shown,
  seen,
  set,
  unmask,
} from './guest.fixture.ts';

const TRICK = [dis('EINVAL'), blk('i0')];

describe('ENABLE (qemu-vfio.md, 2.3)', () => {
  it('S1, S2: all masked, or the function', () => {
    for (const control of [ENABLE, ENABLE_MASKED]) {
      expect(calls(AU(), control)).toEqual([IDIS, ...TRICK]);
      expect(calls(BU(), control)).toEqual([IDIS, EN0]);
      expect(calls(CU(), control)).toEqual([IDIS, EN0]);
      expect(calls(AK(), control)).toEqual([...INTX_DOWN_K, ...TRICK]);
      expect(calls(BK(), control)).toEqual([...INTX_DOWN_K, EN0]);
      expect(calls(CK(), control)).toEqual([...INTX_DOWN_K, EN0]);
    }
    expect(calls(AU(), ...unmask(0, 3), ENABLE_MASKED)).toEqual([IDIS, ...TRICK]);
    expect(calls(CK(), ...unmask(0, 3), ENABLE_MASKED)).toEqual([...INTX_DOWN_K, EN0]);
  });

  it('S9: a VMM that never asks tears down on a dynamic kernel too', () => {
    expect(calls(A_DYNAMIC(), ENABLE)).toEqual([IDIS, ...TRICK]);
    expect(calls(A_DYNAMIC(), ENABLE, ...unmask(2))).toEqual([DIS, blk('i0 -1 i2')]);
  });

  it('S18, S38: 0 to 3 unmasked', () => {
    const before = [...unmask(0, 1, 2, 3), ENABLE];
    expect(calls(AU(), ...before)).toEqual([IDIS, blk('i0 i1 i2 i3')]);
    expect(calls(BU(), ...before)).toEqual([IDIS, blk('i0 i1 i2 i3')]);
    expect(calls(CU(), ...before)).toEqual([IDIS, EN0, blk('i0 i1 i2 i3')]);
    const kvm = [...INTX_DOWN_K, ROUTES, assign('k0'), assign('k1'), assign('k2'), assign('k3')];
    expect(calls(AK(), ...before)).toEqual([...kvm, blk('k0 k1 k2 k3')]);
    expect(calls(BK(), ...before)).toEqual([...kvm, blk('k0 k1 k2 k3')]);
    expect(calls(CK(), ...before)).toEqual([...kvm, EN0, blk('k0 k1 k2 k3')]);
  });

  it('holes: 1, 2, 4 and 6 unmasked', () => {
    const before = [...unmask(6, 4, 2, 1), ENABLE];
    expect(calls(AU(), ...before)).toEqual([IDIS, blk('-1 i1 i2 -1 i4 -1 i6')]);
    expect(calls(BU(), ...before)).toEqual([IDIS, blk('-1 i1 i2 -1 i4 -1 i6')]);
    expect(calls(CU(), ...before)).toEqual([IDIS, EN0, blk('-1 i1 i2 -1 i4 -1 i6')]);
    const kvm = [...INTX_DOWN_K, ROUTES, assign('k1'), assign('k2'), assign('k4'), assign('k6')];
    expect(calls(AK(), ...before)).toEqual([...kvm, blk('-1 k1 k2 -1 k4 -1 k6')]);
    expect(calls(BK(), ...before)).toEqual([...kvm, blk('-1 k1 k2 -1 k4 -1 k6')]);
    expect(calls(CK(), ...before)).toEqual([...kvm, EN0, blk('-1 k1 k2 -1 k4 -1 k6')]);
  });

  it('S40: a function without a pin has no INTx calls', () => {
    const pinless = { msixVectors: 8, whileOff: 'drops', reset: true } as const;
    expect(calls(AK(pinless), ENABLE)).toEqual(TRICK);
    expect(calls(CU(pinless), ENABLE)).toEqual([EN0]);
    expect(calls(CK(pinless), ENABLE, DISABLE)).toEqual([DIS]);
    expect(calls(CK(pinless), 'guest.reset')).toEqual([RESET]);
    expect(calls(CK({ ...pinless, msixVectors: 0 }), ENABLE)).toEqual([]);
  });
});

/** One row of the table of 2.4 after another; each with what vectors have for eventfds and what comes before a call. */
function rows(config: Shown, lines: readonly string[]): readonly (readonly string[])[] {
  return lastCalls(lines.length, config(), ENABLE, ...lines);
}

describe('USE (qemu-vfio.md, 2.4)', () => {
  const upwards = [...unmask(0, 1, 4, 2), ...mask(0), ...unmask(6)];

  it('S5 to S8: upwards, delivered by the VMM', () => {
    const later = [[DIS, blk('i0 i1')], [DIS, blk('i0 i1 -1 -1 i4')], [set(2, 'i2')], []];
    const last = [DIS, blk('i0 i1 i2 -1 i4 -1 i6')];
    expect(rows(AU, upwards)).toEqual([[set(0, 'i0')], ...later, last]);
    expect(rows(BU, upwards)).toEqual([[DIS, blk('i0')], ...later, last]);
    expect(rows(CU, upwards)).toEqual([
      [set(0, 'i0')],
      [set(1, 'i1')],
      [set(4, 'i4')],
      [set(2, 'i2')],
      [],
      [set(6, 'i6')],
    ]);
  });

  it('S10, S13, S39: upwards, delivered by KVM', () => {
    const later = [
      [ROUTES, assign('k1'), DIS, blk('k0 k1')],
      [ROUTES, assign('k4'), DIS, blk('k0 k1 -1 -1 k4')],
      [ROUTES, assign('k2'), set(2, 'k2')],
      [set(0, 'i0')],
      [ROUTES, assign('k6'), DIS, blk('i0 k1 k2 -1 k4 -1 k6')],
    ];
    expect(rows(AK, upwards)).toEqual([[ROUTES, assign('k0'), set(0, 'k0')], ...later]);
    expect(rows(BK, upwards)).toEqual([[ROUTES, assign('k0'), DIS, blk('k0')], ...later]);
    expect(rows(CK, upwards)).toEqual([
      [ROUTES, assign('k0'), set(0, 'k0')],
      [ROUTES, assign('k1'), set(1, 'k1')],
      [ROUTES, assign('k4'), set(4, 'k4')],
      [ROUTES, assign('k2'), set(2, 'k2')],
      [set(0, 'i0')],
      [ROUTES, assign('k6'), set(6, 'k6')],
    ]);
    // The route is there already.
    expect(calls(CK(), ENABLE, ...unmask(0), ...mask(0), ...unmask(0))).toEqual([ROUTES, set(0, 'k0')]);
  });

  it('S11: 7 first, then 3, 0, 5', () => {
    const downwards = unmask(7, 3, 0, 5);
    const sets = [[set(3, 'i3')], [set(0, 'i0')], [set(5, 'i5')]];
    expect(rows(AU, downwards)).toEqual([[DIS, blk('i0 -1 -1 -1 -1 -1 -1 i7')], ...sets]);
    expect(rows(BU, downwards)).toEqual([[DIS, blk('-1 -1 -1 -1 -1 -1 -1 i7')], ...sets]);
    expect(rows(CU, downwards)).toEqual([[set(7, 'i7')], ...sets]);
    // Vector 0 was used without a route.
    expect(rows(AK, unmask(7, 0))).toEqual([
      [ROUTES, assign('k7'), DIS, blk('i0 -1 -1 -1 -1 -1 -1 k7')],
      [ROUTES, assign('k0'), set(0, 'k0')],
    ]);
  });

  it('S17, S19: the function mask is cleared with 0 to 3 unmasked', () => {
    const lines = [ENABLE_MASKED, ...unmask(0, 1, 2, 3), ENABLE];
    const grown = [DIS, blk('i0 i1'), DIS, blk('i0 i1 i2'), DIS, blk('i0 i1 i2 i3')];
    expect(calls(AU(), ...lines)).toEqual([set(0, 'i0'), ...grown]);
    expect(calls(BU(), ...lines)).toEqual([DIS, blk('i0'), ...grown]);
    expect(calls(CU(), ...lines)).toEqual([0, 1, 2, 3].map((vector) => set(vector, `i${vector}`)));
    expect(calls(CK(), ...lines)).toEqual(
      [0, 1, 2, 3].flatMap((vector) => [ROUTES, assign(`k${vector}`), set(vector, `k${vector}`)]),
    );
    expect(lastCalls(5, BU(), ...lines).slice(0, 4)).toEqual([[], [], [], []]);
  });

  it('S12: what has been used is never torn down for', () => {
    const lines = [ENABLE, ...unmask(3, 1), ...mask(3, 1), ...unmask(3, 1)];
    expect(lastCalls(4, BU(), ...lines)).toEqual([[], [], [set(3, 'i3')], [set(1, 'i1')]]);
    expect(lastCalls(4, BK(), ...lines)).toEqual([
      [set(3, 'i3')],
      [set(1, 'i1')],
      [ROUTES, set(3, 'k3')],
      [ROUTES, set(1, 'k1')],
    ]);
  });
});

describe('RELEASE and DISABLE (qemu-vfio.md, 2.5 and 2.6)', () => {
  it('S16: the function mask is set, and cleared again', () => {
    const lines = [ENABLE, ...unmask(4, 1), ENABLE_MASKED, ENABLE];
    expect(lastCalls(2, CU(), ...lines)).toEqual([[], [set(1, 'i1'), set(4, 'i4')]]);
    for (const config of [AK, BK, CK])
      expect(lastCalls(2, config(), ...lines)).toEqual([
        [set(1, 'i1'), set(4, 'i4')],
        [ROUTES, set(1, 'k1'), ROUTES, set(4, 'k4')],
      ]);
  });

  it('S20: the guest turns MSI-X off', () => {
    for (const config of [AU, BU, CU]) {
      expect(calls(config(), ENABLE, ...unmask(2), DISABLE)).toEqual([DIS, ISET]);
      expect(calls(config(), ENABLE, DISABLE)).toEqual([DIS, ISET]);
    }
    const lines = [ENABLE, ...unmask(5, 2), ...mask(5), DISABLE];
    for (const config of [AK, BK, CK])
      expect(calls(config(), ...lines)).toEqual([
        ...[set(2, 'i2'), set(5, 'i5'), DIS, deassign('k2'), deassign('k5')],
        ...INTX_UP_K,
      ]);
    expect(calls(AK(), ENABLE, DISABLE)).toEqual([DIS, ...INTX_UP_K]);
    // Enable and Function Mask change together.
    expect(calls(CK(), ENABLE, ...unmask(2), 'guest.msixControl disable function-mask')).toEqual([
      ...[set(2, 'i2'), DIS, deassign('k2')],
      ...INTX_UP_K,
    ]);
    expect(calls(BU(), ENABLE, ...unmask(2), DISABLE, ENABLE)).toEqual([IDIS, blk('-1 -1 i2')]);
  });

  it('S34: the machine is reset with MSI-X on', () => {
    for (const config of [AU, BU, CU]) {
      const lines = [ENABLE, ...unmask(2), 'guest.reset'];
      expect(calls(config(), ...lines)).toEqual([DIS, ISET, IDIS, RESET, ISET]);
      expect(reads(config(), ...lines)).toBe('off');
      expect(calls(config(), ...lines, ENABLE)).toEqual(calls(config(), ENABLE));
    }
    expect(calls(AU(), 'guest.reset')).toEqual([IDIS, RESET, ISET]);
    expect(calls(AU({ msixVectors: 8, whileOff: 'drops', intx: true }), 'guest.reset')).toEqual([IDIS, ISET]);
    expect(calls(AK(), 'guest.reset')).toEqual([...INTX_DOWN_K, RESET, ...INTX_UP_K]);
  });

  it('the function mask that a reset leaves behind makes nothing of an unmask', () => {
    for (const config of [AU, BK, CK, DK]) {
      const lines = [ENABLE, ...unmask(2), 'guest.reset'];
      expect(lastCalls(3, config(), ...lines, ...unmask(1), ...mask(1), ...unmask(1))).toEqual([[], [], []]);
      expect(reads(config(), ...lines, ...unmask(1))).toBe('off 1 unmasked');
    }
    const again = [ENABLE, ...unmask(2), 'guest.reset', ...unmask(1), ENABLE_MASKED];
    expect(lastCalls(2, CU(), ...again, ENABLE)).toEqual([[IDIS, EN0], [set(1, 'i1')]]);
  });

  it('S35: with KVM, unmasked vectors are released twice', () => {
    const after = [DIS, deassign('k1'), deassign('k2'), ...INTX_UP_K, ...INTX_DOWN_K, RESET, ...INTX_UP_K];
    const lines = [ENABLE, ...unmask(1, 2), ...mask(1)];
    for (const config of [AK, BK, CK]) {
      expect(calls(config(), ...lines, 'guest.reset')).toEqual([
        ...[set(2, 'i2'), set(1, 'i1'), set(2, 'i2')],
        ...after,
      ]);
      expect(calls(config(), ...lines, ENABLE_MASKED, 'guest.reset')).toEqual([set(1, 'i1'), set(2, 'i2'), ...after]);
    }
  });
});

describe('failures (qemu-vfio.md, 2.7)', () => {
  const shortOf = (count: number): string => `host.limitVectors ${count}`;
  /** Takes nothing but fails the next allocation of an irq. */
  const FAIL = 'host.failAllocation 1';

  it('S24, S25: growth fails; a vector comes back by mask and unmask, all of them by the next growth', () => {
    for (const config of [AU, BU]) {
      const failed = [ENABLE, ...unmask(0, 1), shortOf(0), ...unmask(2)];
      expect(calls(config(), ...failed)).toEqual([DIS, blk('i0 i1 i2', 'ENOSPC')]);
      expect(seen(config(), ...failed, raise(0))).toBe('ok | raised 0');
      const again = [...failed, shortOf(8), ...mask(0), ...unmask(0)];
      expect(calls(config(), ...again)).toEqual([set(0, 'i0')]);
      expect(seen(config(), ...again, raise(0))).toBe('ok | raised 0 | message 0x4000 to 0x100000');
      expect(seen(config(), ...again, raise(1))).toBe('ok | raised 1');
      expect(calls(config(), ...failed, shortOf(8), ...unmask(3))).toEqual([dis('EINVAL'), blk('i0 i1 i2 i3')]);
      expect(seen(config(), ...failed, shortOf(8), ...unmask(3), raise(1))).toBe(
        'ok | raised 1 | message 0x4001 to 0x100004',
      );
    }
  });

  it('S26: a short count, and no fall-back to it', () => {
    const failed = [ENABLE, ...unmask(0), 'host.failAllocation 3', ...unmask(3)];
    expect(calls(AU(), ...failed)).toEqual([DIS, blk('i0 -1 -1 i3', 'returns 2')]);
    expect(calls(AU(), ...failed, ...mask(0), ...unmask(0))).toEqual([set(0, 'i0')]);
    expect(calls(BU(), ...failed, ...unmask(1), ...mask(3), ...unmask(3))).toEqual([set(3, 'i3', 'EINVAL')]);
    expect(reads(BU(), ...failed, ...unmask(1), ...mask(3), ...unmask(3))).toBe('on 0-1 unmasked; 3 unmasked');
  });

  it('S27: one vector cannot be added; the others live, and it is asked for again', () => {
    const failed = [ENABLE, ...unmask(0), shortOf(0), ...unmask(2)];
    expect(calls(CU(), ...failed)).toEqual([set(2, 'i2', 'ENOSPC')]);
    expect(seen(CU(), ...failed, raise(0))).toBe('ok | raised 0 | message 0x4000 to 0x100000');
    expect(calls(CU(), ...failed, shortOf(1), ...mask(2), ...unmask(2))).toEqual([set(2, 'i2')]);
  });

  it('S28: the first call fails', () => {
    expect(calls(CU(), FAIL, ENABLE)).toEqual([IDIS, set(0, '-1', 'ENOSPC')]);
    expect(calls(CU(), FAIL, ENABLE, ...unmask(3))).toEqual([set(3, 'i3')]);
    expect(calls(BU(), FAIL, ENABLE, ...unmask(3))).toEqual([dis('EINVAL'), blk('-1 -1 -1 i3')]);
    expect(calls(AU(), FAIL, ENABLE)).toEqual([IDIS, dis('EINVAL'), blk('i0', 'ENOSPC')]);
    expect(calls(AU(), FAIL, ENABLE, ...unmask(3))).toEqual([dis('EINVAL'), blk('i0 -1 -1 i3')]);
    expect(calls(BU(), FAIL, ENABLE, DISABLE)).toEqual([dis('EINVAL'), ISET]);
    expect(calls(CU(), ...unmask(0, 1), FAIL, ENABLE)).toEqual([IDIS, set(0, '-1', 'ENOSPC')]);
    expect(reads(BU(), FAIL, ENABLE)).toBe('on');
  });

  it('INTx that cannot come up is not taken down, and is tried again', () => {
    for (const [config, down] of [
      [CU, [IDIS]],
      [CK, INTX_DOWN_K],
    ] as const) {
      const failed = [ENABLE, shortOf(0), DISABLE];
      expect(calls(config(), ...failed)).toEqual([DIS, ISET_FAILS]);
      expect(calls(config(), ...failed, 'guest.reset')).toEqual([RESET, ISET_FAILS]);
      expect(calls(config(), ...failed, ENABLE)).toEqual([EN0]);
      expect(calls(config(), ...failed, shortOf(3), 'guest.reset', ENABLE)).toEqual([...down, EN0]);
    }
  });
});

describe('the whole table when MSI-X is turned on', () => {
  const ALL = blk('i0 i1 i2 i3 i4 i5 i6 i7');
  const unmasked = [ROUTES, assign('i2'), assign('i5')];

  it('turns on and off', () => {
    expect(calls(DU(), ENABLE)).toEqual([IDIS, ALL]);
    expect(calls(DK(), ENABLE)).toEqual([...INTX_DOWN_K, ALL]);
    expect(calls(DU(), ...unmask(5, 2), ENABLE)).toEqual([IDIS, ALL]);
    expect(calls(DK(), ...unmask(5, 2), ENABLE)).toEqual([...INTX_DOWN_K, ...unmasked, ALL]);
    expect(calls(DK(), ...unmask(5, 2), ENABLE_MASKED)).toEqual([...INTX_DOWN_K, ALL]);
    expect(calls(DU(), ...unmask(5, 2), ENABLE, DISABLE)).toEqual([DIS, ISET]);
    expect(calls(DK(), ...unmask(5, 2, 1), ENABLE, ...mask(1), DISABLE)).toEqual([
      ...[DIS, deassign('i2'), deassign('i5')],
      ...INTX_UP_K,
    ]);
  });

  it('masks without vfio', () => {
    expect(lastCalls(2, DU(), ENABLE, ...unmask(3), ...mask(3))).toEqual([[], []]);
    const lines = [ENABLE, ...unmask(3), ...mask(3), ...unmask(3)];
    expect(lastCalls(3, DK(), ...lines)).toEqual([[ROUTES, assign('i3')], [deassign('i3')], [ROUTES, assign('i3')]]);
    expect(calls(DK(), ENABLE, ...unmask(5, 2), ENABLE_MASKED)).toEqual([deassign('i2'), deassign('i5')]);
    expect(calls(DK(), ENABLE_MASKED, ...unmask(5, 2), ENABLE)).toEqual([
      ...[ROUTES, assign('i2'), ROUTES, assign('i5')],
    ]);
  });

  it('is reset without releases', () => {
    expect(calls(DU(), ...unmask(2), ENABLE, 'guest.reset')).toEqual([DIS, ISET, IDIS, RESET, ISET]);
    expect(calls(DK(), ...unmask(2), ENABLE, 'guest.reset')).toEqual([
      ...[DIS, deassign('i2'), ...INTX_UP_K],
      ...[...INTX_DOWN_K, RESET, ...INTX_UP_K],
    ]);
  });

  it('does not try less when there is not enough', () => {
    expect(calls(DU(), 'host.limitVectors 4', ENABLE)).toEqual([IDIS, blk('i0 i1 i2 i3 i4 i5 i6 i7', 'ENOSPC')]);
    expect(calls(DU(), 'host.failAllocation 4', ENABLE, ...unmask(1))).toEqual([]);
  });
});
