import { describe, expect, it } from 'vitest';
import {
  ALLOCATED,
  ARMED,
  IMS_IGNORE,
  IMS_MASK,
  IMS_PASID_ENABLE,
  IMS_PENDING,
  PENDING,
  type Scenario,
  UNMASKED,
} from '#vocabulary';
import {
  control,
  DISABLE,
  descriptorSays,
  ENABLED,
  entryOf,
  entrySays,
  mdevSays,
  NOTHING,
  OPEN,
  outcomeIs,
  PENDS,
  parentOf,
  pasidSays,
  type Row,
  SET,
  STARTED,
  SUBMITTED,
  saysNothing,
  saysNothingOfVector,
  vectorSays,
  without,
} from './mdev-tampered.fixture.ts';
import { type Edit, judged, received, twoVms } from './tampered.fixture.ts';

const HANDLES: readonly Row[] = [
  [
    'a handle of the IMS table is given',
    twoVms([ENABLED, 'guest.requestHandle 1 ims']),
    ([, step]) => {
      if (step !== undefined) step.outcome = { kind: 'value', value: 0 };
    },
    '1 handle-validity: a handle of the IMS table was given for vector 1 of mdev 0: 0',
  ],
  [
    'no handle is given for an entry',
    twoVms([ENABLED, 'guest.requestHandle 1']),
    ([, step]) => {
      if (step !== undefined) step.outcome = { kind: 'status', status: 0x42 };
    },
    '1 handle-validity: vector 1 of mdev 0 has entry 0 and no handle was given',
  ],
  [
    'another entry is named',
    twoVms([ENABLED, 'guest.requestHandle 1']),
    ([, step]) => {
      if (step !== undefined) step.outcome = { kind: 'value', value: 1 };
    },
    '1 handle-validity: vector 1 of mdev 0 has entry 0, and its handle is 1',
  ],
  [
    'an entry can be named without a request',
    twoVms([ENABLED], { parent: { handles: 'requested' } }),
    ([step]) => entrySays(step, 0, { handle: true }),
    '0 handle-validity: entry 0 of vector 1 of mdev 0 can be named, and no handle of it is good',
  ],
  [
    'an entry cannot be named after a request',
    twoVms([ENABLED, 'guest.requestHandle 1'], { parent: { handles: 'requested' } }),
    ([, step]) => {
      parentOf(step).entries = [];
    },
    '1 handle-validity: entry 0 of vector 1 of mdev 0 cannot be named, and its handle is good',
  ],
  [
    'a handle is looked at though no interrupt is asked for',
    twoVms([ENABLED, `${SUBMITTED} no-rci`, 'device.start 0']),
    ([, , step]) => descriptorSays(step, 0, { entry: 0 }),
    '2 handle-validity: descriptor 0 of mdev 0 asks for no interrupt and was checked against 0',
  ],
  [
    'a descriptor is checked against another entry than it names',
    twoVms([`${SET} 1+2 [e1 e2]`, SUBMITTED, 'device.start 0']),
    ([, , step]) => descriptorSays(step, 0, { entry: 1 }),
    '2 handle-validity: descriptor 0 of mdev 0 names handle 0 and was checked against entry 1',
  ],
  [
    'a handle is good that was not requested',
    twoVms([ENABLED, SUBMITTED, 'device.start 0'], { parent: { handles: 'requested' } }),
    ([, , step]) => {
      saysNothing(step);
      descriptorSays(step, 0, { phase: 'started', device: 0, pasid: 1, entry: 0 });
    },
    '2 handle-validity: descriptor 0 of mdev 0 was let through by handle 0, which is not good',
  ],
  [
    'handles are revoked that nobody has',
    twoVms([ENABLED]),
    ([step]) => {
      step?.events.push({ kind: 'revoked', device: 0 });
    },
    '0 handle-validity: mdev 0 reads 1 times that handles were revoked, and has 0',
  ],
];

const NUMBERS: readonly Row[] = [
  [
    'MSIX_PERM shows the host PASID',
    twoVms(['guest.bindPasid 2', 'guest.msixPerm 1 on 2']),
    ([, step]) => {
      parentOf(step).perms = [{ device: 0, vector: 1, value: 0x3008 }];
    },
    '1 hidden-numbers: MSIX_PERM of vector 1 of mdev 0 was written as 0x2008 and reads 0x3008',
  ],
  [
    'an error is not told',
    twoVms([SUBMITTED, 'device.start 0']),
    ([, step]) => without(step, 'error'),
    '1 hidden-numbers: descriptor 0 of mdev 0 was refused, and SWERROR does not say so',
  ],
  [
    'an error is told to another mdev',
    twoVms([SUBMITTED, 'device.start 0']),
    ([, step]) => {
      for (const event of step?.events ?? []) if (event.kind === 'error') event.device = 1;
    },
    '1 hidden-numbers: mdev 0 submitted descriptor 0 and mdev 1 reads of it',
  ],
  [
    'an error shows the host PASID of a shared queue',
    twoVms(['guest.bindPasid 2', 'guest.submit 0 shared 2 handle=0', 'device.start 0']),
    ([, , step]) => {
      for (const event of step?.events ?? []) if (event.kind === 'error') event.pasid = 3;
    },
    '2 hidden-numbers: SWERROR of mdev 0 shows PASID 3, and its guest knows 2',
  ],
  [
    'an error shows the host PASID of a dedicated queue',
    twoVms([SUBMITTED, 'device.start 0']),
    ([, step]) => {
      for (const event of step?.events ?? []) if (event.kind === 'error') event.pasid = 1;
    },
    '1 hidden-numbers: SWERROR of mdev 0 shows PASID 1, and its guest knows 0',
  ],
  [
    'an error is shown for nothing',
    twoVms([NOTHING]),
    ([step]) => {
      step?.events.push({ kind: 'error', device: 0, pasid: 0 });
    },
    '0 hidden-numbers: SWERROR shows 1 errors, and 0 descriptors were refused',
  ],
];

const MASKS: readonly Row[] = [
  [
    'an open entry of an unmasked vector is masked',
    twoVms(['guest.unmask 1', ENABLED]),
    ([, step]) => entryOf(step, 0, [0, 1], control(OPEN, 1)),
    '1 mask-independence: entry 0 of @0.1: masked pasid 1 irq 0x101 is to be unmasked',
  ],
  [
    'an entry does not ignore',
    twoVms(['guest.msixPerm 1 off 0 ignore', ENABLED]),
    ([, step]) => entryOf(step, 0, [0, 1], control(OPEN, 1)),
    '1 mask-independence: entry 0 of @0.1: masked pasid 1 irq 0x101 is to ignore',
  ],
  [
    'an entry ignores by itself',
    twoVms([ENABLED]),
    ([step]) => entryOf(step, 0, [0, 1], control(OPEN | IMS_IGNORE, 1)),
    '0 mask-independence: entry 0 of @0.1: masked ignore pasid 1 irq 0x101 is to ignore nothing',
  ],
  [
    'an entry is unmasked by itself',
    twoVms([ENABLED, NOTHING]),
    ([, step]) => entryOf(step, 0, [0, 1], control(IMS_PASID_ENABLE, 1)),
    '1 mask-independence: entry 0 of @0.1: unmasked pasid 1 irq 0x101 is to be masked',
  ],
  [
    'an entry stays masked when its vector is unmasked',
    twoVms([ENABLED, 'guest.unmask 1']),
    ([, step]) => {
      parentOf(step).entries = [];
    },
    '1 mask-independence: entry 0 of @0.1: masked pasid 1 irq 0x101 is to be unmasked',
  ],
  [
    'an entry does not follow what MSIX_PERM says of Ignore',
    twoVms([ENABLED, 'guest.msixPerm 1 off 0 ignore'], { profile: 'idxd-mdev-immediate' }),
    ([, step]) => {
      parentOf(step).entries = [];
    },
    '1 mask-independence: entry 0 of @0.1: masked pasid 1 irq 0x101 is to ignore',
  ],
  [
    'masking takes the PASID, which the host looks at when a vector is unmasked',
    twoVms(['guest.unmask 1', ENABLED, 'guest.mask 1'], { profile: 'idxd-mdev-at-unmask' }),
    ([, , step]) => entryOf(step, 0, [0, 1], IMS_MASK),
    '2 mask-independence: guest.mask made entry 0 of @0.1: masked irq 0x101 of entry 0 of @0.1: unmasked pasid ' +
      '1 irq 0x101',
  ],
  [
    'unmasking sets Ignore',
    twoVms([ENABLED, 'guest.unmask 1']),
    ([, step]) => entryOf(step, 0, [0, 1], control(IMS_PASID_ENABLE | IMS_IGNORE, 1)),
    '1 mask-independence: guest.unmask made entry 0 of @0.1: unmasked ignore pasid 1 irq 0x101 of entry 0 of @0.1: ' +
      'masked pasid 1 irq 0x101',
  ],
  [
    'unmasking opens the entry of another mdev',
    twoVms([`${SET} 1+1 [e2] @1`, ENABLED, 'guest.unmask 1']),
    ([, , step]) => entryOf(step, 0, [1, 1], control(IMS_PASID_ENABLE, 2)),
    '2 mask-independence: guest.unmask made entry 0 of @1.1: unmasked pasid 2 irq 0x901 of entry 0 of @1.1: ' +
      'masked pasid 2 irq 0x901',
  ],
  [
    'unmasking gives the entry of another mdev away, with its data',
    twoVms([`${SET} 1+1 [e2] @1`, 'guest.unmask 1']),
    ([, step]) => entrySays(step, 0, { control: control(OPEN, 2), data: 0x901, device: 0, vector: 1 }),
    '1 mask-independence: guest.unmask made entry 0 of @0.1: masked pasid 2 irq 0x901 of entry 0 of @1.1: ' +
      'masked pasid 2 irq 0x901',
  ],
  [
    'unmasking gives the entry of another vector away, with its data',
    twoVms([`${SET} 2+1 [e2]`, 'guest.unmask 1']),
    ([, step]) => entrySays(step, 0, { control: control(OPEN, 1), data: 0x102, device: 0, vector: 1 }),
    '1 mask-independence: guest.unmask made entry 0 of @0.1: masked pasid 1 irq 0x102 of entry 0 of @0.2: ' +
      'masked pasid 1 irq 0x102',
  ],
  [
    'unmasking takes the handle',
    twoVms([ENABLED, 'guest.requestHandle 1', 'guest.unmask 1'], { parent: { handles: 'requested' } }),
    ([, , step]) =>
      entrySays(step, 0, { control: control(IMS_PASID_ENABLE, 1), data: 0x101, device: 0, vector: 1, handle: false }),
    '2 mask-independence: guest.unmask made entry 0 of @0.1: unmasked pasid 1 irq 0x101 of entry 0 of @0.1: ' +
      'masked pasid 1 irq 0x101 handle',
  ],
  [
    'a reset masks a vector of another mdev',
    twoVms(['guest.unmask 1 @1', 'vfio.reset']),
    ([, step]) => vectorSays(step, 1, 1, 0),
    '1 mask-independence: vector 1 of mdev 1 was masked, and nobody asked',
  ],
  [
    'a reset unmasks',
    twoVms(['vfio.reset']),
    ([step]) => vectorSays(step, 0, 1, UNMASKED),
    '0 mask-independence: vector 1 of mdev 0 was unmasked, and nobody asked',
  ],
  [
    'masking changes another entry',
    twoVms([`${SET} 1+2 [e1 e2]`, 'guest.unmask 1']),
    ([, step]) => entryOf(step, 1, [0, 2], control(OPEN | IMS_PENDING, 1)),
    '1 mask-independence: guest.unmask made entry 1 of @0.2: masked pending pasid 1 irq 0x102 of entry 1 of @0.2: ' +
      'masked pasid 1 irq 0x102',
  ],
  [
    'unmasking another vector',
    twoVms(['guest.unmask 1']),
    ([step]) => vectorSays(step, 0, 2, UNMASKED),
    '0 mask-independence: vector 2 of mdev 0 was unmasked, and nobody asked',
  ],
  [
    'unmasking does nothing',
    twoVms(['guest.unmask 1']),
    ([step]) => saysNothing(step),
    '0 mask-independence: guest.unmask 1 left the mask bit of mdev 0 as it was',
  ],
];

const RESETS: readonly Row[] = [
  [
    'an open mdev cannot be reset',
    twoVms(['vfio.reset']),
    ([step]) => outcomeIs(step, 'EINVAL'),
    '0 reset-state: mdev 0 is open and was not reset',
  ],
  [
    'a reset keeps MSIX_PERM',
    twoVms(['guest.msixPerm 1 on 2', 'vfio.reset']),
    ([, step]) => {
      parentOf(step).perms = [];
    },
    '1 reset-state: MSIX_PERM of vector 1 of mdev 0 is not 0 after the reset',
  ],
  [
    'a reset leaves a descriptor in flight',
    twoVms([SUBMITTED, 'vfio.reset']),
    ([, step]) => saysNothing(step),
    '1 reset-state: descriptor 0 is in flight after the reset of mdev 0',
  ],
  [
    'a reset leaves a vector unmasked',
    twoVms(['guest.unmask 1', 'vfio.reset']),
    ([, step]) => saysNothing(step),
    '1 reset-state: vector 1 of mdev 0 is unmasked after the reset',
  ],
  [
    'a reset takes a trigger',
    twoVms([`${SET} 0+1 [e0]`, 'vfio.reset']),
    ([, step]) => vectorSays(step, 0, 0, 0),
    '1 reset-state: vector 0 of mdev 0 went from armed to idle in the reset',
  ],
  [
    'a reset keeps a handle',
    twoVms([ENABLED, 'guest.requestHandle 1', 'vfio.reset'], { parent: { handles: 'requested' } }),
    ([, , step]) => {
      parentOf(step).entries = [];
    },
    '2 reset-state: vector 1 of mdev 0 has a handle after the reset',
  ],
];

const INFO: readonly Row[] = [
  [
    'the flags are wrong',
    twoVms([NOTHING]),
    ([step]) => {
      const [device] = step?.observation ?? [];
      if (device !== undefined) device.msixInfoFlags = 9;
    },
    '0 irq-info-honest: mdev 0 is open and its flags are 9 where 1 are right',
  ],
  [
    'MSI-X is not told of',
    twoVms([NOTHING]),
    ([step]) => outcomeIs(step, 'EINVAL'),
    '0 irq-info-honest: MSI-X of mdev 0 exists and was not told of',
  ],
  [
    'an index that there is not is told of',
    twoVms(['vfio.getIrqInfo MSI']),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'irqInfo', flags: 1, count: 1 };
    },
    '0 irq-info-honest: mdev 0 has no interrupts of index 1 and tells of some',
  ],
  [
    'vectors are left out',
    twoVms([NOTHING]),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'irqInfo', flags: 1, count: 2 };
    },
    '0 irq-info-honest: mdev 0 has 3 vectors and 2 are reported',
  ],
  [
    'other flags are reported than are true',
    twoVms([NOTHING]),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'irqInfo', flags: 9, count: 3 };
    },
    '0 irq-info-honest: mdev 0 has flags 1 and 9 are reported',
  ],
  [
    'MSI-X can be set up in part, despite NORESIZE',
    twoVms([`${SET} 0+1 [e0]`], { profile: 'idxd-mdev-fixed' }),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'ok' };
    },
    '0 irq-info-honest: NORESIZE is set and MSI-X of mdev 0 was set up with less than its 3 vectors',
  ],
];

const LAYERS: readonly Row[] = [
  [
    'Function Mask is set',
    twoVms([NOTHING]),
    ([step]) => {
      const [device] = step?.observation ?? [];
      if (device !== undefined) Object.assign(device, { functionMask: true, registers: 1 });
    },
    '0 layers-agree: Function Mask of mdev 0 is set',
  ],
  [
    'there is MSI',
    twoVms([NOTHING]),
    ([step]) => {
      const [device] = step?.observation ?? [];
      if (device !== undefined) device.registers = 1;
    },
    '0 layers-agree: mdev 0 has registers 1',
  ],
  [
    'MSI-X is off and a vector has a trigger',
    twoVms([`${SET} 0+1 [e0]`, DISABLE]),
    ([, step]) => saysNothingOfVector(step),
    '1 layers-agree: MSI-X of mdev 0 is off and vectors have triggers',
  ],
  [
    'a vector says that it has an entry',
    twoVms([ENABLED]),
    ([step]) => vectorSays(step, 0, 2, ALLOCATED),
    '0 layers-agree: vector 2 of mdev 0 is allocated and has no entry',
  ],
  [
    'a vector says that it has none',
    twoVms([ENABLED]),
    ([step]) => vectorSays(step, 0, 1, ARMED),
    '0 layers-agree: vector 1 of mdev 0 is armed and has entry 0',
  ],
  [
    'a vector has a trigger and MSI-X is off',
    twoVms([NOTHING]),
    ([step]) => vectorSays(step, 0, 0, ARMED),
    '0 layers-agree: vector 0 of mdev 0 is armed and MSI-X is off',
  ],
  [
    'what an entry keeps is not shown',
    twoVms(PENDS),
    (steps) => {
      for (const device of steps[3]?.observation ?? []) device.changes = [];
      vectorSays(steps[3], 0, 1, ALLOCATED | ARMED);
      entryOf(steps[3], 0, [0, 1], control(OPEN | IMS_PENDING, 1));
      vectorSays(steps[3], 0, 0, 0);
      vectorSays(steps[0], 0, 1, ALLOCATED | ARMED | UNMASKED);
    },
    '3 layers-agree: vector 1 of mdev 0 is allocated armed and has entry 0 of @0.1: masked pending pasid 1 irq 0x101',
  ],
];

const SHOWN = [
  ...['guest.unmask 1', 'guest.msixControl enable', 'guest.submit 0 dedicated 0 handle=0', 'device.start 0'],
  'device.complete 0',
];

const GUESTS: readonly Row[] = [
  [
    'a completion is no message',
    twoVms(SHOWN, { profile: 'idxd-mdev+qemu-10.0' }),
    (steps) => without(steps[4], 'message'),
    '4 no-lost-interrupt: vector 1 raised in operation 4 and its message never came',
  ],
  [
    'an error is no message',
    twoVms(['guest.unmask 0', 'guest.msixControl enable', SUBMITTED, 'device.start 0'], {
      profile: 'idxd-mdev+all-at-enable',
      parent: { handles: 'requested' },
    }),
    (steps) => without(steps[3], 'message'),
    '3 no-lost-interrupt: vector 0 raised in operation 3 and its message never came',
  ],
  [
    'a message comes of a completion that is ignored',
    twoVms(['guest.msixPerm 1 off 0 ignore', ...SHOWN], { profile: 'idxd-mdev+qemu-10.0' }),
    (steps) => received(steps[5], [1]),
    '5 no-spurious-interrupt: message 0x4001 to 0x100004 came, and vector 1 had no event to tell',
  ],
  [
    'a message comes of an event that an mdev has not',
    twoVms([...SHOWN, 'device.raise 1'], { profile: 'idxd-mdev+qemu-10.0/irqfd' }),
    (steps) => received(steps[5], [1]),
    '5 no-spurious-interrupt: message 0x4001 to 0x100004 came, and vector 1 had no event to tell',
  ],
  [
    'an mdev becomes pending by itself',
    twoVms([...SHOWN, 'guest.readPba 0'], { profile: 'idxd-mdev+qemu-10.0' }),
    (steps) => vectorSays(steps[5], 0, 0, PENDING),
    '5 no-spurious-interrupt: vector 0 of mdev 0 became pending and nothing had made an interrupt',
  ],
  [
    'an event is forgotten by an mdev',
    twoVms(['device.raise 0', 'guest.readPba 0'], { profile: 'idxd-mdev+qemu-10.0' }),
    ([, step]) => vectorSays(step, 0, 0, 0),
    '1 no-lost-interrupt: an interrupt of vector 0 of mdev 0 went away: it is neither pending nor told to anybody',
  ],
  [
    'another guest reads the end of what was submitted in this step',
    twoVms(['device.armDescriptor 0 before-call', SUBMITTED], { profile: 'idxd-mdev+qemu-10.0' }),
    ([, step]) => {
      for (const event of step?.events ?? []) if (event.kind === 'completed') event.device = 1;
    },
    '1 no-spurious-interrupt: descriptor 0 was submitted by mdev 0 and mdev 1 reads its end',
  ],
  [
    'the mask bit of a table that is the VMM’s is shown',
    twoVms(['guest.unmask 1'], { profile: 'idxd-mdev+qemu-10.0' }),
    ([step]) => vectorSays(step, 0, 1, UNMASKED),
    '0 layers-agree: vector 1 of mdev 0 is unmasked and its table is the VMM’s',
  ],
  [
    'a VMM does not reset an mdev',
    twoVms(['guest.reset'], { profile: 'idxd-mdev+qemu-10.0' }),
    ([step]) => {
      if (step !== undefined) step.calls = [];
    },
    '0 reset-state: the function can be reset and was 0 times',
  ],
];

describe('what a system says of what there is not', () => {
  it('is blamed, or else passed over', () => {
    const at = twoVms([...STARTED, 'device.complete 0']);
    const wild: Edit = (steps) => {
      entrySays(steps[2], 3, { device: 7, vector: 5000 });
      entrySays(steps[3], 0, { device: 0, vector: 4_000_000_000 });
      descriptorSays(steps[3], 1, { phase: 'queued', device: 7, pasid: 1 });
      mdevSays(steps[3], 7, { defaultPasid: 1 });
      parentOf(steps[3]).perms = [{ device: 7, vector: 1, value: 8 }];
      steps[3]?.events.push(
        { kind: 'error', device: 7, pasid: 1 },
        { kind: 'raised', device: 7, vector: 0, window: null },
      );
    };
    const said = judged(at, wild);
    expect(said).toContain('2 pasid-isolation: entry 3 of vector 5000 of mdev 7 backs a vector that can have no entry');
    expect(said).toContain('3 hidden-numbers: SWERROR shows 1 errors, and 0 descriptors were refused');
  });
});

describe('what is no breach', () => {
  it('is to say again what has been said', () => {
    const at = twoVms([...STARTED, 'guest.msixPerm 1 on 2', NOTHING]);
    const again: Edit = (steps) => {
      entryOf(steps[4], 0, [0, 1], control(OPEN, 1));
      pasidSays(steps[4], 1, { state: 'active', vm: 0, references: 3 });
      mdevSays(steps[4], 0, { defaultPasid: 1 });
      parentOf(steps[4]).perms = [{ device: 0, vector: 1, value: 0x2008 }];
      descriptorSays(steps[4], 0, { phase: 'started', device: 0, pasid: 1, entry: 0 });
      vectorSays(steps[4], 0, 1, ALLOCATED | ARMED);
    };
    expect(judged(at, again)).toEqual([]);
  });

  it('is what a system has not shown that died', () => {
    const at = twoVms([ENABLED, 'vfio.reset']);
    const dies: Edit = ([, step]) => {
      if (step === undefined) return;
      saysNothing(step);
      step.outcome = { kind: 'unknown', reason: 'crash' };
    };
    expect(judged(at, dies)).toEqual([]);
  });
});

describe('the promises about handles, numbers, masks, resets, flags and layers of mdevs', () => {
  it.each([...HANDLES, ...NUMBERS, ...MASKS])('are broken where %s', check);
  it.each([...RESETS, ...INFO, ...LAYERS])('are broken where %s', check);
  it.each(GUESTS)('are broken where %s', check);
});

function check(_: string, at: Scenario, edit: Edit, expected: string): void {
  expect(judged(at)).toEqual([]);
  expect(judged(at, edit)).toContain(expected);
}
