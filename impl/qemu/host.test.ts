import { describe, expect, it } from 'vitest';
import {
  type Config,
  type Event,
  type EventfdName,
  HarnessError,
  type Observation,
  type Outcome,
  printCall,
  type RawOperation,
  type Step,
} from '#vocabulary';
import { Host } from './host.ts';
import type { Kernel } from './kernel.ts';

const CONFIG: Config = {
  host: { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
  vmm: { allocation: 'as-irq-info-says', delivery: 'userspace' },
  devices: [{ msixVectors: 10, whileOff: 'latches', intx: true, reset: true }],
};
const OBSERVATION: Observation = [{ enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, changes: [] }];

/** A kernel that answers as it is told, and keeps what it was asked. */
class ToldKernel implements Kernel {
  readonly asked: RawOperation[] = [];
  readonly started: Config[] = [];
  outcomes: Outcome[] = [];
  /** What the next raise signals. */
  signals: EventfdName[] = [];

  start(config: Config): Observation {
    this.started.push(config);
    return OBSERVATION;
  }

  perform(operation: RawOperation): Step {
    this.asked.push(operation);
    const signalled: Event[] =
      operation.kind === 'device.raise'
        ? this.signals.map((eventfd) => ({ kind: 'signalled', eventfd, count: 1 }))
        : [];
    return {
      outcome: this.outcomes.shift() ?? { kind: 'ok' },
      events: signalled,
      observation: OBSERVATION,
      clauses: [],
    };
  }
}

function started(): { readonly kernel: ToldKernel; readonly host: Host } {
  const kernel = new ToldKernel();
  const host = new Host(kernel, CONFIG, () => undefined);
  host.answer('d 0 function');
  host.answer('d 1 bell0');
  host.answer('s 0 36 0 0 1 5');
  host.begin(CONFIG);
  kernel.asked.length = 0;
  return { kernel, host };
}

describe('before a scenario', () => {
  it('all that QEMU asks for succeeds, and the kernel is only asked what it is', () => {
    const kernel = new ToldKernel();
    const host = new Host(kernel, CONFIG, () => undefined);
    expect(host.answer('d 0 function')).toMatch(/^3 5 65536 /);
    kernel.outcomes = [
      { kind: 'irqInfo', flags: 9, count: 10 },
      { kind: 'errno', errno: 'EINVAL' },
    ];
    expect([host.answer('i 0 2'), host.answer('i 0 3'), host.answer('i 1 0')]).toEqual([
      '0 9 10',
      '-22 0 0',
      '-22 0 0',
    ]);
    expect([host.answer('s 0 33 2 0 0'), host.answer('z 0'), host.answer('c 0 6')]).toEqual(['0', '0', '0']);
    expect(kernel.asked.map(({ kind }) => kind)).toEqual(['vfio.getIrqInfo', 'vfio.getIrqInfo']);
    expect(kernel.started[0]).not.toHaveProperty('vmm');
  });

  it('INTx is on the fresh kernel as QEMU has set it up', () => {
    const kernel = new ToldKernel();
    const host = new Host(kernel, CONFIG, () => undefined);
    host.answer('d 0 function');
    host.answer('s 0 36 0 0 1 5');
    host.answer('s 0 20 0 0 1 6');
    host.begin(CONFIG);
    expect(kernel.asked.map((operation) => (operation.kind === 'vfio.setIrqs' ? operation.flags : -1))).toEqual([
      0x24, 0x09, 0x14, 0x11,
    ]);
    expect(host.takeStep().calls).toEqual([]);
  });
});

describe('a reaction', () => {
  it('is told by what its eventfds are used for', () => {
    const { kernel, host } = started();
    kernel.outcomes = [{ kind: 'ok' }, { kind: 'errno', errno: 'EINVAL' }, { kind: 'positive', value: 2 }];
    const answers = ['s 0 33 0 0 0', 's 0 33 2 0 0', 's 0 36 2 0 3 7 -1 9'].map((line) => host.answer(line));
    expect(answers).toEqual(['0', '-22', '2']);
    expect(host.takeStep().calls.map(printCall)).toEqual([
      'vfio.setIrqs INTX NONE|TRIGGER 0+0 []: ok',
      'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []: EINVAL',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+3 [i0 -1 i2]: returns 2',
    ]);
  });

  it('shows an eventfd that turns up for another vector', () => {
    const { host } = started();
    host.answer('s 0 36 2 3 1 7');
    host.answer('s 0 36 2 4 1 7');
    expect(host.takeStep().calls.map(printCall).at(-1)).toBe('vfio.setIrqs MSIX EVENTFD|TRIGGER 4+1 [i3]: ok');
  });

  it('opens each window once, at its place, and gives back what is signalled there', () => {
    const { kernel, host } = started();
    host.answer('s 0 36 2 0 1 7');
    host.takeStep();
    kernel.signals = ['e0'];
    for (const window of ['after-set', 'teardown-gap', 'before-call'] as const) host.arm(0, window);
    host.beginReaction();
    expect(host.answer('s 0 33 2 0 0')).toBe('0 7 7');
    expect(host.answer('s 0 36 2 0 2 7 8')).toBe('0 7');
    expect(host.endReaction()).toEqual([]);
    expect(kernel.asked.slice(1).map(({ kind }) => kind)).toEqual([
      'device.raise',
      'vfio.setIrqs',
      'device.raise',
      'vfio.setIrqs',
      'device.raise',
    ]);
    expect(host.takeStep().raised.map((event) => event.kind === 'raised' && event.window)).toEqual([
      'before-call',
      'teardown-gap',
      'after-set',
    ]);
  });

  it('leaves the raises whose windows did not open', () => {
    const { host } = started();
    host.arm(3, 'teardown-gap');
    host.arm(4, 'after-set');
    host.beginReaction();
    expect(host.endReaction()).toEqual([3, 4]);
    expect(host.endReaction()).toEqual([]);
  });
});

describe('eventfds', () => {
  it('that QEMU has closed are closed for the kernel, and signalled unseen', () => {
    const { kernel, host } = started();
    host.answer('s 0 36 2 0 1 7');
    host.answer('x 7');
    expect(kernel.asked.at(-1)).toEqual({ kind: 'vfio.closeEventfd', eventfd: 'e0' });
    kernel.signals = ['e0'];
    host.raise(0);
    expect(host.takeSignals()).toEqual([]);
  });

  it('that KVM listens to are messages by the route, and have names as soon as vfio gets them', () => {
    const { kernel, host } = started();
    host.answer('g 24:1048576:0:16384');
    host.answer('k 7 -1 24 0 0');
    host.answer('s 0 36 2 0 1 7');
    const { calls } = host.takeStep();
    expect(calls.map(printCall)).toEqual([
      'kvm.setGsiRouting',
      'kvm.irqfd k0 assign',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [k0]: ok',
    ]);
    kernel.signals = ['e4000'];
    host.raise(0);
    expect(host.takeSignals()).toEqual([]);
    expect(host.takeStep().messages).toEqual([{ address: 0x100000, high: 0, data: 0x4000 }]);
  });

  it.each([
    [
      [2, 5],
      ['k2', 'k5'],
    ],
    [[1], ['k0', 'k1']],
  ])('that vfio never gets have the vectors that are unmasked, %j', (unmasked, names) => {
    const { host } = started();
    for (const place of names.keys()) host.answer(`k ${7 + place} -1 ${24 + place} 0 0`);
    host.nameIrqfds(unmasked);
    expect(host.takeStep().calls.map(printCall)).toEqual(names.map((name) => `kvm.irqfd ${name} assign`));
  });
});

describe('lines without an answer', () => {
  it('are messages where they go to a mailbox, and are waited for', async () => {
    const { host } = started();
    const reached = host.reach(2);
    expect(host.answer('w 1 1 4 4 7')).toBe(undefined);
    expect(host.answer('w 0 0 12 4 0')).toBe(undefined);
    await reached;
    expect(host.takeStep().messages).toEqual([{ address: 0x2004, high: 0, data: 7 }]);
    expect(host.reach(2)).toBe(undefined);
  });

  it('that nobody understands are a failure of the harness', () => {
    const { host } = started();
    expect(() => host.answer('q 1')).toThrow(HarnessError);
  });
});

describe('the PBA', () => {
  it('is read from the kernel, 32 bits at a time, and nothing beyond the table', () => {
    const { kernel, host } = started();
    kernel.outcomes = [{ kind: 'value', value: 5 }];
    expect(host.answer('r 0 0 32768 8')).toBe('5 0');
    expect(host.answer('r 0 0 160 4')).toBe('0 0');
    expect(kernel.asked).toEqual([{ kind: 'vfio.pbaRead', device: 0, vector: 0 }]);
  });
});
