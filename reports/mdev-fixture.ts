/** Two findings made by hand on machines with mdevs: one without a VMM and one with. */
import type {
  Descriptor,
  DeviceObservation,
  HostPasid,
  ImsEntry,
  MdevTraits,
  Observation,
  Parent,
  ParentObservation,
  Step,
  VectorChange,
  VfioSetIrqs,
  VmmCall,
} from '#vocabulary';
import {
  ALLOCATED,
  ARMED,
  hostIrq,
  IMS_MASK,
  IMS_PASID_ENABLE,
  INVALID_INTERRUPT_HANDLE,
  PASID_SHIFT,
  PENDING,
  UNMASKED,
  vmmEventfd,
} from '#vocabulary';
import type { Finding } from '../properties/runner/verdict.ts';

const DRIVER: MdevTraits = {
  allocation: 'per-vector',
  permSync: 'immediate',
  noTranslation: 'default',
  defaultPasid: 'per-mdev',
  releaseBy: 'handle',
};
const PARENT: Parent = { entries: 4, pasids: 8, quota: 3, handles: 'index' };
const HOST = { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'ignored' } as const;
const DEVICE = { msixVectors: 3, whileOff: 'drops', reset: true } as const;

const ARMED_STATE = ALLOCATED | ARMED | UNMASKED;
const EVENTFD_TRIGGER = 36;
const NOTHING: ParentObservation = { entries: [], pasids: [], mdevs: [], perms: [], descriptors: [] };

function device(enable: boolean, changes: readonly VectorChange[] = []): DeviceObservation {
  return { enable, functionMask: false, msixInfoFlags: 1, registers: 0, changes };
}

/** An entry of a vector of the first mdev; masked and without PASID when none is given. */
function entry(vector: number, pasid = 0, index = vector - 1): ImsEntry {
  const control = pasid === 0 ? IMS_MASK : IMS_PASID_ENABLE + pasid * 2 ** PASID_SHIFT;
  return { entry: index, control, data: hostIrq(0, vector), device: 0, vector, handle: false };
}

function defaultPasid(pasid: number, references: number, vm = 0): HostPasid {
  return { pasid, state: 'active', vm, guest: 0, references };
}

function bound(references: number, state: HostPasid['state'] = 'active'): HostPasid {
  return { pasid: 3, state, vm: 0, guest: 5, references };
}

function descriptor(phase: Descriptor['phase']): Descriptor {
  if (phase === 'over') return { descriptor: 0, phase, device: -1, pasid: 0, entry: -1 };
  return { descriptor: 0, phase, device: 0, pasid: 3, entry: phase === 'started' ? 0 : -1 };
}

function step(parent: Partial<ParentObservation> = {}, rest: Partial<Step> = {}): Step {
  const observation: Observation = [device(true), device(false)];
  return { outcome: { kind: 'ok' }, events: [], observation, parent: { ...NOTHING, ...parent }, clauses: [], ...rest };
}

const SET_UP: Step = step(
  { entries: [masked(entry(1, 1)), masked(entry(2, 1))], pasids: [defaultPasid(1, 3)] },
  {
    observation: [
      device(true, [
        { vector: 0, state: ARMED },
        { vector: 1, state: ALLOCATED | ARMED },
        { vector: 2, state: ALLOCATED | ARMED },
      ]),
      device(false),
    ],
    clauses: ['vfio.set-irqs.enable'],
  },
);

function masked(unmasked: ImsEntry): ImsEntry {
  return { ...unmasked, control: unmasked.control + IMS_MASK };
}

const DONE = [
  { kind: 'completed', device: 0, descriptor: 0, status: 1 },
  { kind: 'signalled', eventfd: 'e1', count: 1 },
] as const;

const BEGINNING: readonly Step[] = [
  SET_UP,
  step({ entries: [entry(1, 1)] }, { observation: [device(true, [{ vector: 1, state: ARMED_STATE }]), device(false)] }),
  step({ pasids: [bound(1)] }),
  step({
    entries: [entry(1, 3)],
    pasids: [defaultPasid(1, 2), bound(2)],
    perms: [{ device: 0, vector: 1, value: IMS_PASID_ENABLE + 5 * 2 ** PASID_SHIFT }],
  }),
  step({ pasids: [bound(3)], descriptors: [descriptor('queued')] }),
  step({ descriptors: [descriptor('started')] }),
];

const OTHERS_EVENT: Step = step(
  {},
  {
    observation: [device(true), device(false, [{ vector: 0, state: PENDING }])],
    events: [{ kind: 'raised', device: 1, vector: 0, window: null }],
  },
);

const FREED: HostPasid = { pasid: 3, state: 'free', vm: -1, guest: 0, references: 0 };

const START = {
  initial: [device(false), device(false)],
  initialParent: {
    ...NOTHING,
    pasids: [defaultPasid(1, 1), defaultPasid(2, 1, 1)],
    mdevs: [
      { device: 0, life: 'open', defaultPasid: 1 },
      { device: 1, life: 'open', defaultPasid: 2 },
    ],
  },
} as const;

/** The guest frees a PASID that a descriptor still carries; the subject rewrites the entry without waiting for it. */
export const NOT_DRAINED: Finding = {
  id: '6a1d93f0',
  verdict: 'divergence',
  system: 'mutant:no-drain',
  profile: 'idxd-mdev-immediate',
  subjectProfile: 'idxd-mdev-immediate',
  seed: 42,
  scenario: {
    config: {
      host: HOST,
      mdev: DRIVER,
      parent: PARENT,
      devices: [
        { ...DEVICE, mdev: { vm: 0, viommu: true } },
        { ...DEVICE, mdev: { vm: 1 } },
      ],
    },
    operations: [
      {
        kind: 'vfio.setIrqs',
        ...{ device: 0, flags: EVENTFD_TRIGGER, index: 2, start: 0, count: 3, data: ['e0', 'e1', 'e2'] },
      },
      { kind: 'guest.unmask', device: 0, vector: 1 },
      { kind: 'guest.bindPasid', device: 0, pasid: 5 },
      { kind: 'guest.msixPerm', device: 0, vector: 1, pasidEnable: true, pasid: 5, ignore: false },
      { kind: 'guest.submit', device: 0, descriptor: 0, queue: 'shared', pasid: 5, handle: 0 },
      { kind: 'device.start', descriptor: 0 },
      { kind: 'guest.freePasid', device: 0, pasid: 5 },
      { kind: 'device.complete', descriptor: 0 },
      { kind: 'device.raise', device: 1, vector: 0 },
    ],
  },
  judgement: {
    reference: {
      ...START,
      steps: [
        ...BEGINNING,
        step(
          { entries: [entry(1, 1)], pasids: [defaultPasid(1, 3), FREED], descriptors: [descriptor('over')] },
          { events: DONE, clauses: ['ims.guest-pasid.free', 'ims.completion.drained'] },
        ),
        step({}, { outcome: { kind: 'errno', errno: 'EINVAL' } }),
        OTHERS_EVENT,
      ],
    },
    subject: {
      ...START,
      steps: [
        ...BEGINNING,
        step({ entries: [entry(1, 1)], pasids: [defaultPasid(1, 3), bound(1, 'free-pending')] }),
        step({ pasids: [FREED], descriptors: [descriptor('over')] }, { events: DONE }),
        OTHERS_EVENT,
      ],
    },
    divergences: [
      { step: 6, path: 'events', expected: 'descriptor 0 done, e1 +1', got: 'nothing' },
      {
        step: 6,
        path: 'parent pasid 3',
        expected: 'pasid 3 free',
        got: 'pasid 3 free-pending, guest 5 of VM 0, 1 reference',
      },
      { step: 6, path: 'parent descriptor 0', expected: 'over', got: 'started on @0 with pasid 3 for entry 0' },
      { step: 7, path: 'outcome', expected: 'EINVAL', got: 'ok' },
      { step: 7, path: 'events', expected: 'nothing', got: 'descriptor 0 done, e1 +1' },
    ],
    violations: [],
  },
};

const TURN_OFF: VfioSetIrqs = { kind: 'vfio.setIrqs', device: 0, flags: 33, index: 2, start: 0, count: 0, data: [] };

function call(operation: VfioSetIrqs, refused?: 'EINVAL'): VmmCall {
  return {
    kind: 'vfio',
    operation,
    outcome: refused === undefined ? { kind: 'ok' } : { kind: 'errno', errno: refused },
  };
}

function setUp(count: number): VfioSetIrqs {
  const data = Array.from({ length: count }, (_, vector) => vmmEventfd(0, 'interrupt', vector));
  return { kind: 'vfio.setIrqs', device: 0, flags: EVENTFD_TRIGGER, index: 2, start: 0, count, data };
}

/** What is seen of the device that the guest has, on the host and by the guest. */
function shown(enable: boolean, host: readonly VectorChange[] = [], guest: readonly VectorChange[] = []): Observation {
  return [{ ...device(enable, host), guest: { enable, functionMask: false, changes: guest } }];
}

const WAITING: Descriptor = { descriptor: 7, phase: 'queued', device: 0, pasid: 1, entry: -1 };

const GAP_STEPS: readonly Step[] = [
  step(
    {},
    { observation: shown(true, [{ vector: 0, state: ARMED }]), calls: [call(TURN_OFF, 'EINVAL'), call(setUp(1))] },
  ),
  step(
    { entries: [entry(1, 1)], pasids: [defaultPasid(1, 2)] },
    {
      observation: shown(true, [{ vector: 1, state: ALLOCATED | ARMED }], [{ vector: 1, state: UNMASKED }]),
      calls: [call(TURN_OFF), call(setUp(2))],
    },
  ),
  step({ pasids: [defaultPasid(1, 3)], descriptors: [WAITING] }, { observation: shown(true), calls: [] }),
  step({}, { observation: shown(true), calls: [] }),
  step(
    { entries: [entry(2, 1)], descriptors: [{ ...WAITING, phase: 'over', device: -1, pasid: 0 }] },
    {
      events: [
        { kind: 'completed', device: 0, descriptor: 7, status: INVALID_INTERRUPT_HANDLE },
        { kind: 'error', device: 0, pasid: 0 },
      ],
      observation: shown(true, [{ vector: 2, state: ALLOCATED | ARMED }], [{ vector: 2, state: UNMASKED }]),
      calls: [call(TURN_OFF), call(setUp(3))],
      clauses: ['ims.completion.refused'],
    },
  ),
];

const GAP_START = {
  initial: shown(false),
  initialParent: {
    ...NOTHING,
    pasids: [defaultPasid(1, 1)],
    mdevs: [{ device: 0, life: 'open', defaultPasid: 1 }],
  },
} as const;

/** The hardware begins with a descriptor just when the VMM has torn its entry down to grow: it is refused. */
export const REFUSED_IN_THE_GAP: Finding = {
  id: '77c0e1b2',
  verdict: 'violation',
  system: 'optimised',
  profile: 'idxd-mdev+qemu-7.2',
  subjectProfile: 'idxd-mdev+qemu-7.2',
  seed: 42,
  scenario: {
    config: {
      host: HOST,
      mdev: { ...DRIVER, permSync: 'atEnable', noTranslation: 'fail', releaseBy: 'index' },
      vmm: { allocation: 'vector-0-first', delivery: 'userspace' },
      parent: PARENT,
      devices: [{ ...DEVICE, mdev: { vm: 0 } }],
    },
    operations: [
      { kind: 'guest.msixControl', device: 0, enable: true, functionMask: false },
      { kind: 'guest.unmask', device: 0, vector: 1 },
      { kind: 'guest.submit', device: 0, descriptor: 7, queue: 'dedicated', pasid: 0, handle: 0 },
      { kind: 'device.armDescriptor', device: 0, descriptor: 7, window: 'teardown-gap' },
      { kind: 'guest.unmask', device: 0, vector: 2 },
    ],
  },
  judgement: {
    reference: { ...GAP_START, steps: GAP_STEPS },
    subject: { ...GAP_START, steps: GAP_STEPS },
    divergences: [],
    violations: [
      {
        invariant: 'no-lost-interrupt',
        step: 4,
        causes: [2, 4],
        message: 'descriptor 7 named entry 0, which was its own before and after, and was refused',
        expectedBy: null,
      },
    ],
  },
};
