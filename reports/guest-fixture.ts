/** A finding made by hand, on a machine with a VMM: a guest loses an interrupt to growth. */
import type { DeviceObservation, Observation, Step, VectorChange, VfioSetIrqs, VmmCall } from '#vocabulary';
import { ALLOCATED, ARMED, UNMASKED, vmmEventfd } from '#vocabulary';
import type { Finding } from '../properties/runner/verdict.ts';

const ARMED_STATE = ALLOCATED | ARMED | UNMASKED;

interface Seen {
  readonly host: readonly VectorChange[];
  readonly guest: readonly VectorChange[];
}

function observation(enable: boolean, { host, guest }: Seen = { host: [], guest: [] }): Observation {
  const device: DeviceObservation = {
    ...{ enable, functionMask: false, msixInfoFlags: 9, registers: 0, changes: host },
    guest: { enable, functionMask: false, changes: guest },
  };
  return [device];
}

const TURN_OFF: VfioSetIrqs = {
  kind: 'vfio.setIrqs',
  device: 0,
  flags: 33,
  index: 2,
  start: 0,
  count: 0,
  data: [],
};

function setUp(count: number): VfioSetIrqs {
  const data = Array.from({ length: count }, (_, vector) => vmmEventfd(0, 'interrupt', vector));
  return { kind: 'vfio.setIrqs', device: 0, flags: 36, index: 2, start: 0, count, data };
}

function call(operation: VfioSetIrqs): VmmCall {
  return { kind: 'vfio', operation, outcome: { kind: 'ok' } };
}

function step(observed: Observation, rest: Partial<Step> = {}): Step {
  return { outcome: { kind: 'ok' }, events: [], observation: observed, calls: [], clauses: [], ...rest };
}

const STEPS: readonly Step[] = [
  step(observation(true, { host: [{ vector: 0, state: ARMED_STATE }], guest: [] }), {
    calls: [{ kind: 'vfio', operation: TURN_OFF, outcome: { kind: 'errno', errno: 'EINVAL' } }, call(setUp(1))],
    clauses: ['vfio.set-irqs.enable'],
  }),
  step(observation(true, { host: [], guest: [{ vector: 0, state: UNMASKED }] }), { calls: [call(setUp(1))] }),
  step(observation(true), {
    events: [
      { kind: 'raised', device: 0, vector: 0, window: null },
      { kind: 'message', device: 0, address: 0x100000, high: 0, data: 0x4000, count: 1 },
    ],
  }),
  step(observation(true)),
  step(observation(true, { host: [{ vector: 1, state: ARMED_STATE }], guest: [{ vector: 1, state: UNMASKED }] }), {
    events: [{ kind: 'raised', device: 0, vector: 0, window: 'teardown-gap' }],
    calls: [call(TURN_OFF), call(setUp(2))],
    clauses: ['vfio.set-irqs.disable', 'pci.msix.drops-while-off', 'vfio.set-irqs.enable'],
  }),
  step(observation(true), { outcome: { kind: 'value', value: 0 } }),
];

/** The guest unmasks its second vector; the VMM tears the first down for it, and the device raises just then. */
export const GUEST_LOST: Finding = {
  id: '5e1fd0a4',
  verdict: 'expected',
  system: 'reference',
  profile: 'linux-6.1+qemu-7.2',
  subjectProfile: 'linux-6.1+qemu-7.2',
  seed: 42,
  scenario: {
    config: {
      host: { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' },
      vmm: { allocation: 'vector-0-first', delivery: 'userspace' },
      devices: [{ msixVectors: 8, whileOff: 'drops' }],
    },
    operations: [
      { kind: 'guest.msixControl', device: 0, enable: true, functionMask: false },
      { kind: 'guest.unmask', device: 0, vector: 0 },
      { kind: 'device.raise', device: 0, vector: 0 },
      { kind: 'device.arm', device: 0, vector: 0, window: 'teardown-gap' },
      { kind: 'guest.unmask', device: 0, vector: 1 },
      { kind: 'guest.readPba', device: 0, vector: 0 },
    ],
  },
  judgement: {
    reference: { initial: observation(false), steps: STEPS },
    subject: { initial: observation(false), steps: STEPS },
    divergences: [],
    violations: [
      {
        invariant: 'no-lost-interrupt',
        step: 4,
        causes: [1, 4],
        message: 'vector 0 raised in the teardown-gap of operation 4 and its message never came',
        expectedBy: 'pci.msix.drops-while-off',
      },
    ],
  },
};
