import { describe, expect, it } from 'vitest';
import { type Config, GUEST_KINDS, HarnessError, isAskable, type Operation, RAW_KINDS } from '#vocabulary';
import { B } from './answer.fixture.ts';
import {
  AK,
  AU,
  BK,
  BU,
  CK,
  CU,
  calls,
  DEVICE,
  DIS,
  DISABLE,
  DK,
  DU,
  EN0,
  ENABLE,
  ENABLE_MASKED,
  IDIS,
  ISET,
  lastCalls,
  mask,
  raise,
  reads,
  seen,
  set,
  steps,
  unmask,
} from './guest.fixture.ts';
import { OptimisedMachine } from './machine.ts';

const TCG = [AU, BU, CU, DU];
const KVM = [AK, BK, CK, DK];
const QEMU = [AU, BU, CU, AK, BK, CK];
const EVERY = [...TCG, ...KVM];

const write = (vector: number, place: string, value: string): string => `guest.tableWrite ${vector} ${place} ${value}`;
const entry = (vector: number): string[] => [0, 4, 8, 12].map((offset) => `guest.tableRead ${vector} +${offset}`);

/** The four words of an entry after some operations. */
function words(vector: number, ...lines: readonly string[]): string {
  return steps(CU(), ...lines, ...entry(vector))
    .slice(-4)
    .map(({ outcome }) => (outcome.kind === 'value' ? outcome.value.toString(16) : outcome.kind))
    .join(' ');
}

describe('the table', () => {
  it('is as the guest has programmed it, and empty after a reset', () => {
    expect(words(3)).toBe('10000c 0 4003 1');
    expect(words(3, write(3, '+8/4', '0x7'), 'guest.reset')).toBe('0 0 0 1');
    expect(words(3, 'guest.reset', write(3, '+4/4', '0x9'))).toBe('0 9 0 1');
    expect(seen(CU(), 'guest.tableRead 8 +0')).toBe('EINVAL');
    const two = { ...CU(), devices: [DEVICE, DEVICE] };
    expect(seen(two, 'guest.tableRead 3 +0 @1')).toBe(`reads ${0x11000c}`);
  });

  it('S30: takes no 1 and 2 bytes, and 8 bytes as two times 4', () => {
    for (const place of ['+0/1', '+12/1', '+12/2', '+14/2', '+11/2', '+15/2', '+2/4', '+13/4', '+15/4'])
      expect(words(3, write(3, place, '0x0'), write(3, place, '0xffffffff')), place).toBe('10000c 0 4003 1');
    expect(words(3, write(3, '+0/4', '0xfee00000'))).toBe('fee00000 0 4003 1');
    expect(words(3, `${write(3, '+0/8', '0xfee00000')} high=0x1`)).toBe('fee00000 1 4003 1');
    expect(words(3, `${write(3, '+8/8', '0x55')} high=0xfffffffe`)).toBe('10000c 0 55 fffffffe');
    expect(words(3, write(3, '+8/8', '0x55'))).toBe('10000c 0 55 0');
    expect(calls(CU(), ENABLE, write(3, '+8/8', '0x55'))).toEqual([set(3, 'i3')]);
  });

  it('takes what is not aligned in aligned pieces', () => {
    // Two times 4 bytes, with and without an address that 8 divides.
    expect(words(3, `${write(3, '+4/8', '0x11')} high=0x22`)).toBe('10000c 11 22 1');
    expect(words(4, `${write(3, '+12/8', '0x0')} high=0x22`)).toBe('22 0 4004 1');
    expect(words(3, `${write(3, '+12/8', '0x0')} high=0x22`)).toBe('10000c 0 4003 0');
    // Bytes 1, 2, 4 and 1; 2, 4 and 2; 1, 4, 2 and 1: only the 4 in the middle are taken.
    expect(words(3, `${write(3, '+1/8', '0x44332211')} high=0x88776655`)).toBe('10000c 77665544 4003 1');
    expect(words(3, `${write(3, '+2/8', '0x44332211')} high=0x88776655`)).toBe('10000c 66554433 4003 1');
    expect(words(3, `${write(3, '+3/8', '0x44332211')} high=0x88776655`)).toBe('10000c 55443322 4003 1');
    // The very first address divides nothing.
    expect(words(0, `${write(0, '+0/8', '0x1')} high=0x2`)).toBe('1 2 4000 1');
    // Behind the end there is nothing.
    expect(seen(CU(), `${write(7, '+12/8', '0x0')} high=0x5`)).toBe('ok');
    expect(reads(CU(), ENABLE, `${write(7, '+12/8', '0x0')} high=0x5`)).toBe('on 7 unmasked');
    expect(reads(CU(), ENABLE, `${write(7, '+13/8', '0x0')} high=0x0`)).toBe('on');
  });

  it('S31: bit 0 of Vector Control masks, the others are stored', () => {
    const line = write(3, '+12/4', '0xfffffffe');
    expect(words(3, line)).toBe('10000c 0 4003 fffffffe');
    expect(calls(BU(), ENABLE, line)).toEqual([DIS, 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+4 [-1 -1 -1 i3]: ok']);
    expect(calls(BU(), ENABLE, line, write(3, '+12/4', '0x2'))).toEqual([]);
    expect(words(3, line, ...mask(3))).toBe('10000c 0 4003 1');
    expect(words(3, line, ...mask(3), ...unmask(3))).toBe('10000c 0 4003 0');
  });

  it('S29: a new message is used at once by the VMM, and by KVM after mask and unmask', () => {
    const changed = [ENABLE, ...unmask(3), write(3, '+0/4', '0xfee01000'), write(3, '+8/4', '0x31')];
    for (const config of EVERY) expect(calls(config(), ...changed)).toEqual([]);
    for (const config of TCG)
      expect(seen(config(), ...changed, raise(3))).toBe('ok | raised 3 | message 0x31 to 0xfee01000');
    for (const config of KVM) {
      expect(seen(config(), ...changed, raise(3))).toBe('ok | raised 3 | message 0x4003 to 0x10000c');
      expect(seen(config(), ...changed, ...mask(3), ...unmask(3), raise(3))).toBe(
        'ok | raised 3 | message 0x31 to 0xfee01000',
      );
    }
    const high = [ENABLE, ...unmask(3), write(3, '+4/4', '0x1'), raise(3)];
    expect(seen(CU(), ...high)).toBe('ok | raised 3 | message 0x4003 to 0x1:0x10000c');
  });

  it('vectors behind it are EINVAL, and what was armed happens all the same', () => {
    for (const line of ['mask 8', 'unmask 8', 'tableWrite 8 +0/4 0x0', 'tableRead 8 +0', 'readPba 8']) {
      for (const config of [CU, DU]) expect(seen(config(), ENABLE, `guest.${line}`), line).toBe('EINVAL');
      expect(seen(CU(), ENABLE, ...unmask(1), 'device.arm 1 before-call', `guest.${line}`)).toBe(
        'EINVAL | raised 1 | message 0x4001 to 0x100004',
      );
    }
    const none = CU({ ...DEVICE, msixVectors: 0 });
    expect(seen(none, 'guest.readPba 0')).toBe('EINVAL');
    expect(seen(none, 'guest.configWrite +0/4 0xffffffff')).toBe('ok');
    expect(reads(none, ENABLE)).toBe('off');
    expect(calls(none, 'guest.reset')).toEqual([IDIS, 'vfio.reset: ok', ISET]);
  });
});

describe('Message Control', () => {
  const config = (place: string, value: string): string => `guest.configWrite ${place} ${value}`;

  it('S32: only byte 3 does anything', () => {
    for (const place of ['+0/1', '+0/2', '+1/2', '+2/1', '+4/1', '+4/4', '+8/4', '+11/4'])
      expect(reads(CU(), config(place, '0xffffffff')), place).toBe('off');
    for (const [place, value] of [
      ['+3/1', '0x80'],
      ['+2/2', '0x8000'],
      ['+3/2', '0x80'],
      ['+0/4', '0x80000000'],
      ['+1/4', '0x800000'],
      ['+2/4', '0x8000'],
      ['+3/4', '0xffffff80'],
    ] as const) {
      expect(calls(CU(), config(place, value)), place).toEqual([IDIS, EN0]);
      expect(reads(CU(), config(place, value)), place).toBe('on');
      expect(calls(CU(), ENABLE, config(place, '0x0'))).toEqual([DIS, ISET]);
    }
    expect(reads(CU(), config('+3/1', '0xff'))).toBe('on masked');
    expect(reads(CU(), config('+3/1', '0x7f'))).toBe('off masked');
    for (const every of EVERY) expect(calls(every(), ENABLE, ...unmask(1), ENABLE)).toEqual([]);
    expect(calls(CK(), ENABLE_MASKED, ENABLE_MASKED)).toEqual([]);
    expect(calls(CK(), DISABLE)).toEqual([]);
  });
});

describe('pending bits', () => {
  it('S3: vector 0 of the trick waits in its eventfd', () => {
    for (const config of [AU, AK]) {
      expect(seen(config(), ENABLE, raise(0), raise(0), 'guest.readPba 0')).toBe('reads 0');
      expect(seen(config(), ENABLE, raise(0), raise(0), ...unmask(0))).toBe('ok | message 0x4000 to 0x100000');
    }
  });

  it('S4: a vector that was never used waits in the function', () => {
    for (const config of QEMU) {
      expect(reads(config(), ENABLE, raise(2))).toBe('on 2 pending');
      expect(seen(config(), ENABLE, raise(2), 'guest.readPba 0')).toBe('reads 4');
    }
    // Its pending bit outlives a tear-down.
    for (const config of QEMU)
      expect(seen(config(), ENABLE, raise(2), ...unmask(2))).toBe('ok | message 0x4002 to 0x100008');
  });

  it('S14, S15: events of a masked vector are one message after the call of its unmask', () => {
    for (const config of QEMU) {
      const lines = [ENABLE, ...unmask(2), ...mask(2), raise(2), raise(2), raise(2)];
      expect(seen(config(), ...lines)).toBe('ok | raised 2');
      expect(reads(config(), ...lines)).toBe('on 2 pending');
      expect(seen(config(), ...lines, ...unmask(2))).toBe('ok | message 0x4002 to 0x100008');
      expect(reads(config(), ...lines, ...unmask(2))).toBe('on 2 unmasked');
      expect(seen(config(), ...lines, ...unmask(2), raise(2))).toBe('ok | raised 2 | message 0x4002 to 0x100008');
    }
  });

  it('the function mask holds events back too, each vector its own', () => {
    const lines = [ENABLE, ...unmask(1, 2), ENABLE_MASKED, raise(2), raise(1), raise(2)];
    for (const config of [...QEMU, DU]) {
      expect(reads(config(), ...lines)).toBe('on masked 1-2 unmasked pending');
      expect(seen(config(), ...lines, ENABLE)).toBe('ok | message 0x4001 to 0x100004 | message 0x4002 to 0x100008');
    }
  });

  it('the guest reads the VMM only while it holds something back', () => {
    const emulated = [ENABLE, ...unmask(1, 2), ...mask(1, 2), raise(1), raise(2), raise(5)];
    expect(reads(CU(), ...emulated)).toBe('on 1-2 pending');
    // Still something of 2.
    expect(reads(CU(), ...emulated, ...unmask(1))).toBe('on 1 unmasked; 2 pending');
    expect(reads(CU(), ...emulated, ...unmask(1, 2))).toBe('on 1-2 unmasked; 5 pending');
    expect(seen(CU(), ...emulated, 'guest.readPba 7')).toBe('reads 6');
    expect(seen(CU(), ...emulated, ...unmask(1, 2), 'guest.readPba 7')).toBe('reads 32');
    // Vector 5 is told again when the function's bits are hidden, and when they are shown.
    const told = steps(CU(), ENABLE, raise(5), ...unmask(1), ...mask(1), raise(1), ...unmask(1));
    expect(told.map(({ observation }) => observation[0]?.guest?.changes)).toEqual([
      [],
      [{ vector: 5, state: 8 }],
      [{ vector: 1, state: 4 }],
      [{ vector: 1, state: 0 }],
      [
        { vector: 1, state: 8 },
        { vector: 5, state: 0 },
      ],
      [
        { vector: 1, state: 4 },
        { vector: 5, state: 8 },
      ],
    ]);
  });

  it('shows its own bits after a disable until something is used', () => {
    const stale = [ENABLE, ...unmask(1), ...mask(1), raise(1), DISABLE];
    const latching = { ...DEVICE, whileOff: 'latches' } as const;
    expect(reads(CU(latching), ...stale, raise(4))).toBe('off');
    expect(reads(CU(latching), ...stale, raise(4), ENABLE)).toBe('on');
    expect(reads(CU(latching), ...stale, raise(4), ENABLE, ...unmask(1))).toBe('on 1 unmasked; 4 pending');
    // The trick is a use.
    expect(reads(AU(latching), ...stale, raise(4), ENABLE)).toBe('on 4 pending');
    expect(reads(CU(latching), ...stale, raise(4), ...unmask(2), ENABLE)).toBe('on 2 unmasked; 4 pending');
  });

  it('S21: what was pending is gone after a disable', () => {
    for (const config of [...QEMU, DU, DK]) {
      const pending = [ENABLE, ...unmask(1), ...mask(1), raise(1), DISABLE, ENABLE];
      expect(seen(config(), ...pending, ...unmask(1))).toBe('ok');
      expect(reads(config(), ...pending)).toBe('on');
    }
  });

  it('of the whole table: the VMM keeps them without KVM, and with KVM nobody does', () => {
    expect(reads(DU(), ENABLE, raise(3), raise(3))).toBe('on 3 pending');
    expect(seen(DU(), ENABLE, raise(3), 'guest.readPba 0')).toBe('reads 8');
    expect(seen(DU(), ENABLE, raise(3), raise(3), ...unmask(3))).toBe('ok | message 0x4003 to 0x10000c');
    expect(reads(DU(), ENABLE, raise(3), 'guest.reset')).toBe('off');
    expect(reads(DK(), ENABLE, raise(3))).toBe('on');
    expect(seen(DK(), ENABLE, raise(3), raise(3), ...unmask(3))).toBe('ok | message 0x4003 to 0x10000c');
    expect(seen(DK(), ENABLE, raise(3), ...unmask(3), ...mask(3), ...unmask(3))).toBe('ok');
    // The function's own bits are never shown.
    expect(reads(DU({ ...DEVICE, whileOff: 'latches' }), raise(3))).toBe('off');
    expect(reads(CU({ ...DEVICE, whileOff: 'latches' }), raise(3))).toBe('off 3 pending');
  });
});

describe('Bus Master Enable', () => {
  it('S33: without it no message of the VMM is sent, and it is gone', () => {
    const masked = [ENABLE, ...unmask(1), ...mask(1), raise(1), 'guest.busMaster disable'];
    for (const config of [AU, BU, CU, DU]) {
      expect(seen(config(), ...masked, ...unmask(1))).toBe('ok');
      expect(seen(config(), ...masked, ...unmask(1), 'guest.busMaster enable')).toBe('ok');
      expect(reads(config(), ...masked, ...unmask(1))).toBe('on 1 unmasked');
      // Not even the function's own message gets out.
      expect(seen(config(), ENABLE, ...unmask(1), 'guest.busMaster disable', raise(1))).toBe('ok | raised 1');
    }
    // KVM does not look at it: the event is in the eventfd already.
    const waiting = [ENABLE, raise(1), 'guest.busMaster disable', ...unmask(1)];
    expect(seen(DK(), ...waiting)).toBe('ok | message 0x4001 to 0x100004');
  });

  it('is off after a reset', () => {
    const lines = ['guest.reset', ENABLE, ...unmask(1)];
    for (const config of EVERY) {
      expect(seen(config(), ...lines, raise(1))).toBe('ok | raised 1');
      expect(seen(config(), ...lines, 'guest.busMaster enable', raise(1))).toBe('ok | raised 1 | message 0x0 to 0x0');
    }
  });
});

describe('a machine', () => {
  const config = { ...CU(), devices: [DEVICE, DEVICE] };

  it('shows each device to its guest', () => {
    const lines = [ENABLE, `${ENABLE} @1`, 'guest.unmask 1 @1', 'device.raise 1 @1'];
    expect(seen(config, ...lines)).toBe('ok | raised 1 @1 | message 0x4001 to 0x110004 @1');
    expect(seen(config, ...lines, 'device.raise 1')).toBe('ok | raised 1');
    expect(lastCalls(2, config, ...lines)).toEqual([[set(1, 'i1')], []]);
  });

  it('tells equal messages together, and others by address', () => {
    const same = [write(2, '+0/8', '0x100004'), write(2, '+8/4', '0x4001')];
    const masked = [ENABLE, ...unmask(1, 2, 3), ENABLE_MASKED, raise(3), raise(2), raise(1)];
    expect(seen(CU(), ...same, ...masked, ENABLE)).toBe(
      'ok | message 0x4001 to 0x100004 x2 | message 0x4003 to 0x10000c',
    );
    const swapped = [write(1, '+0/4', '0xfffffff0'), write(2, '+4/4', '0x1'), write(2, '+0/4', '0x0')];
    expect(seen(CU(), ...swapped, ...masked, ENABLE)).toBe(
      'ok | message 0x4003 to 0x10000c | message 0x4001 to 0xfffffff0 | message 0x4002 to 0x1:0x0',
    );
  });

  it('throws for what cannot be asked of it', () => {
    const raw = { host: B, devices: [DEVICE] };
    const run = (machine: Config, kind: Operation['kind']) => (): unknown =>
      // Each kind takes of the fields what it has.
      new OptimisedMachine().run({
        config: machine,
        operations: [{ kind, device: 0, vector: 0, index: 2, field: 'memory', eventfd: 'e1' } as unknown as Operation],
      });
    for (const kind of GUEST_KINDS) expect(run(raw, kind)).toThrow(HarnessError);
    for (const kind of RAW_KINDS) {
      if (isAskable(CU(), kind)) expect(run(CU(), kind)).not.toThrow();
      else expect(run(CU(), kind)).toThrow(new HarnessError(`${kind} cannot be asked of this machine`));
    }
    expect(() => steps(CU(), 'guest.reset @1')).toThrow(new HarnessError('the scenario shows no device 1'));
    expect(() => steps(CU(), 'device.raise 0 @1')).toThrow(new HarnessError('the scenario shows no device 1'));
    expect(() => steps(CU(), 'device.arm 0 teardown-gap @1')).toThrow(HarnessError);
  });

  it('has no calls and no guest where there is no VMM, whatever it was before', () => {
    const machine = new OptimisedMachine();
    const arm = { kind: 'device.arm', device: 0, vector: 1, window: 'before-call' } as const;
    machine.run({ config: CU(), operations: [{ kind: 'guest.reset', device: 0 }, arm] });
    const { initial, steps: raw } = machine.run({ config: { host: B, devices: [DEVICE] }, operations: [arm] });
    expect(raw.map((step) => 'calls' in step)).toEqual([false]);
    expect([...initial, ...(raw[0]?.observation ?? [])].map((seenOf) => 'guest' in seenOf)).toEqual([false, false]);
    const shown = machine.run({ config: CU(), operations: [arm] });
    expect(shown.steps.map((step) => step.calls)).toEqual([[]]);
    expect(shown.initial.map(({ guest }) => guest)).toEqual([{ enable: false, functionMask: false, changes: [] }]);
  });

  it('begins with INTx up', () => {
    const registersOf = (one: ReturnType<typeof CU>): readonly number[] =>
      new OptimisedMachine().run({ config: one, operations: [] }).initial.map(({ registers }) => registers);
    for (const every of EVERY) expect(registersOf(every())).toEqual([16]);
    expect(registersOf(CU({ msixVectors: 8, whileOff: 'drops' }))).toEqual([0]);
  });
});
