import { describe, expect, it } from 'vitest';
import { ALLOCATED, ARMED, IMS_MASK, IMS_PASID_ENABLE, PENDING } from '#vocabulary';
import {
  control,
  descriptorSays,
  ENABLED,
  entryOf,
  entrySays,
  mdevSays,
  NOTHING,
  OPEN,
  parentOf,
  pasidSays,
  type Row,
  SET,
  SUBMITTED,
  vectorSays,
} from './mdev-tampered.fixture.ts';
import { judged, judgedTrace, twoVms } from './tampered.fixture.ts';

const BROKEN: readonly Row[] = [
  [
    'a PASID is taken from an entry that carries it',
    twoVms([ENABLED, NOTHING]),
    ([, step]) => pasidSays(step, 1, { state: 'free', vm: -1, guest: 0, references: 0 }),
    '1 pasid-isolation: entry 0 of vector 1 of mdev 0 lets PASID 1 through, which nobody has',
  ],
  [
    'an entry that nobody has keeps its data',
    twoVms([ENABLED, `${SET} 1+1 [-1]`]),
    ([, step]) => entrySays(step, 0, { data: 0x101 }),
    '1 pasid-isolation: nobody has an entry and it is not clean: entry 0 free: masked irq 0x101',
  ],
  [
    'an entry that nobody has keeps its vector',
    twoVms([ENABLED, `${SET} 1+1 [-1]`]),
    ([, step]) => entrySays(step, 0, { vector: 1 }),
    '1 pasid-isolation: nobody has an entry and it is not clean: entry 0 free: masked',
  ],
  [
    'a guest reads the completion record of another',
    twoVms([NOTHING]),
    ([step]) => {
      step?.events.push({ kind: 'completed', device: 1, descriptor: 0, status: 1 });
    },
    '0 pasid-isolation: vfio.getIrqInfo of VM 0 was told to mdev 1 of VM 1: completed',
  ],
  [
    'a guest is told that a handle is revoked by what another does',
    twoVms([NOTHING]),
    ([step]) => {
      step?.events.push({ kind: 'revoked', device: 1 });
    },
    '0 pasid-isolation: vfio.getIrqInfo of VM 0 was told to mdev 1 of VM 1: revoked',
  ],
  [
    'vector 0 has an entry',
    twoVms([ENABLED]),
    ([step]) => entryOf(step, 1, [0, 0], IMS_MASK),
    '0 pasid-isolation: entry 1 of vector 0 of mdev 0 backs a vector that can have no entry',
  ],
  [
    'a vector that there is not has an entry',
    twoVms([ENABLED]),
    ([step]) => entryOf(step, 1, [0, 3], IMS_MASK),
    '0 pasid-isolation: entry 1 of vector 3 of mdev 0 backs a vector that can have no entry',
  ],
  [
    'a vector has two entries',
    twoVms([ENABLED]),
    ([step]) => entryOf(step, 1, [0, 1], IMS_MASK),
    '0 pasid-isolation: entry 0 of vector 1 of mdev 0 is not its only one: it has entry 1 as well',
  ],
  [
    'a closed entry keeps its number',
    twoVms([ENABLED, 'guest.bindPasid 2']),
    ([, step]) => entryOf(step, 0, [0, 1], control(IMS_MASK, 1)),
    '1 pasid-isolation: entry 0 of vector 1 of mdev 0 is closed and still holds PASID 1',
  ],
  [
    'an entry lets PASID 0 through',
    twoVms([ENABLED]),
    ([step]) => entryOf(step, 0, [0, 1], OPEN),
    '0 pasid-isolation: entry 0 of vector 1 of mdev 0 lets PASID 0 through, which nobody has',
  ],
  [
    'an entry lets the default PASID of a sibling through',
    twoVms([ENABLED], { vms: [0, 0] }),
    ([step]) => entryOf(step, 0, [0, 1], control(OPEN, 2)),
    '0 pasid-isolation: entry 0 of vector 1 of mdev 0 lets default PASID 2 through, and that of its mdev is 1',
  ],
  [
    'an entry without a trigger is open',
    twoVms([ENABLED], { profile: 'idxd-mdev-all-closed' }),
    ([step]) => entrySays(step, 1, { control: control(OPEN, 1), device: 0, vector: 2 }),
    '0 pasid-isolation: entry 1 of vector 2 of mdev 0 lets PASID 1 through without a trigger',
  ],
  [
    'an entry without a trigger has another PASID than the default one',
    twoVms(['guest.bindPasid 2', ENABLED], { profile: 'idxd-mdev-all-default' }),
    ([, step]) => entrySays(step, 1, { control: control(OPEN, 3), device: 0, vector: 2 }),
    '1 pasid-isolation: entry 1 of vector 2 of mdev 0 lets PASID 3 through without a trigger',
  ],
  [
    'a descriptor carries a PASID that nobody has',
    twoVms([SUBMITTED]),
    ([step]) => descriptorSays(step, 0, { pasid: 5 }),
    '0 pasid-isolation: descriptor 0 of mdev 0 carries PASID 5, which nobody has',
  ],
  [
    'a descriptor carries the PASID of another VM',
    twoVms([SUBMITTED]),
    ([step]) => descriptorSays(step, 0, { pasid: 2 }),
    '0 pasid-isolation: descriptor 0 of mdev 0 is of VM 0 and carries PASID 2 of VM 1',
  ],
  [
    'the PASID that a descriptor carries is taken from it',
    twoVms(['guest.bindPasid 2', 'guest.submit 0 shared 2 handle=0', 'guest.freePasid 2']),
    ([, , step]) => pasidSays(step, 3, { state: 'free', vm: -1, guest: 0, references: 0 }),
    '2 pasid-isolation: descriptor 0 of mdev 0 carries PASID 3, which nobody has',
  ],
  [
    'nobody has submitted a descriptor',
    twoVms([NOTHING]),
    ([step]) => descriptorSays(step, 0, { phase: 'queued', device: 0, pasid: 1 }),
    '0 pasid-isolation: descriptor 0 of mdev 0 carries PASID 1, and nobody has submitted it',
  ],
  [
    'a shared queue does not translate',
    twoVms(['guest.bindPasid 2', 'guest.submit 0 shared 2 handle=0']),
    ([, step]) => descriptorSays(step, 0, { pasid: 1 }),
    '1 pasid-isolation: descriptor 0 of mdev 0 carries PASID 1, and what its guest asked for is 3',
  ],
  [
    'a guest PASID goes with the reset of an mdev',
    twoVms(['guest.bindPasid 2', 'vfio.reset']),
    ([, step]) => pasidSays(step, 3, { state: 'free', vm: -1, guest: 0, references: 0 }),
    '1 pasid-isolation: nobody has given back pasid 3 active, guest 2 of VM 0, 1 reference',
  ],
  [
    'a guest PASID of one VM keeps another from its own',
    twoVms(['guest.bindPasid 2', 'guest.bindPasid 2 @1']),
    ([, step]) => {
      if (step !== undefined) step.outcome = { kind: 'errno', errno: 'EBUSY' };
    },
    '1 pasid-isolation: guest PASID 2 of VM 1 is not bound, and is said to be',
  ],
  [
    "nobody's entry lets a descriptor through",
    twoVms([SUBMITTED, 'device.start 0']),
    ([, step]) => descriptorSays(step, 0, { phase: 'started', device: 0, pasid: 1, entry: 0 }),
    "1 pasid-isolation: descriptor 0 of mdev 0 was let through by entry 0, which is nobody's",
  ],
  [
    'a closed entry lets a descriptor through',
    twoVms([ENABLED, SUBMITTED, 'device.start 0'], { profile: 'idxd-mdev-all-closed' }),
    ([, , step]) => descriptorSays(step, 0, { phase: 'started', device: 0, pasid: 1, entry: 1 }),
    '2 pasid-isolation: descriptor 0 of mdev 0 was let through by entry 1 of vector 2 of mdev 0, which is closed',
  ],
  [
    'an entry for one PASID lets another through',
    twoVms(['guest.bindPasid 2', ENABLED, 'guest.submit 0 shared 2 handle=0', 'device.start 0']),
    (steps) => descriptorSays(steps[3], 0, { phase: 'started', device: 0, pasid: 3, entry: 0 }),
    '3 pasid-isolation: descriptor 0 of mdev 0 carries PASID 3 and was let through by entry 0 of vector 1 of mdev 0 ' +
      'for 1',
  ],
  [
    'a vector that is for one process of a guest is fired by another',
    twoVms([
      ...['guest.bindPasid 2', 'guest.bindPasid 4', 'guest.msixPerm 1 on 2', ENABLED],
      ...['guest.submit 0 shared 4 handle=0', 'device.start 0'],
    ]),
    (steps) => {
      entryOf(steps[3], 0, [0, 1], control(OPEN, 4));
      descriptorSays(steps[5], 0, { phase: 'started', device: 0, pasid: 4, entry: 0 });
    },
    '5 pasid-isolation: descriptor 0 of mdev 0 carries guest PASID 4 and may fire vector 1 of mdev 0, which is for 2',
  ],
  [
    'an entry is for another PASID while a descriptor is in flight',
    twoVms([...['guest.bindPasid 2', ENABLED, SUBMITTED, 'device.start 0', 'guest.msixPerm 1 on 2']], {
      profile: 'idxd-mdev-immediate',
    }),
    (steps) => {
      if (steps[4] !== undefined) steps[4].events = [];
      parentOf(steps[4]).descriptors = [];
    },
    '4 pasid-isolation: entry 0, against which descriptor 0 of mdev 0 was checked and is not over, went from PASID 1 ' +
      'to 3',
  ],
  [
    'a PASID that is free is given back',
    twoVms([NOTHING]),
    ([step]) => pasidSays(step, 3, { state: 'free-pending', vm: 0, guest: 2, references: 1 }),
    '0 pasid-isolation: pasid 3 free became pasid 3 free-pending, guest 2 of VM 0, 1 reference',
  ],
  [
    'a PASID is used again while something refers to it',
    twoVms([...['guest.bindPasid 2', 'guest.submit 0 shared 2 handle=0', 'guest.freePasid 2', 'guest.bindPasid 2 @1']]),
    (steps) => {
      parentOf(steps[3]).pasids = [];
      pasidSays(steps[3], 3, { state: 'active', vm: 1, guest: 2, references: 2 });
    },
    '3 pasid-isolation: pasid 3 free-pending, guest 2 of VM 0, 1 reference was taken again: pasid 3 active, guest 2 ' +
      'of VM 1, 2 references',
  ],
  [
    'a PASID is taken and nobody asked for it',
    twoVms([NOTHING]),
    ([step]) => pasidSays(step, 3, { state: 'active', vm: 0, guest: 2, references: 1 }),
    '0 pasid-isolation: nobody has asked for pasid 3 active, guest 2 of VM 0, 1 reference',
  ],
  [
    'a guest PASID is bound to a host PASID that stands for another one',
    twoVms(['guest.bindPasid 2']),
    ([step]) => pasidSays(step, 3, { guest: 4 }),
    '0 pasid-isolation: guest PASID 2 of VM 0 was bound and translates to nothing',
  ],
  [
    'a guest PASID that was given back is still bound',
    twoVms(['guest.bindPasid 2', 'guest.freePasid 2']),
    ([, step]) => {
      parentOf(step).pasids = [];
    },
    '1 pasid-isolation: guest PASID 2 of VM 0 was given back and translates to 3',
  ],
  [
    'an mdev is attached with the default PASID of another VM',
    twoVms(['host.detach', 'host.attach']),
    ([, step]) => mdevSays(step, 0, { defaultPasid: 2 }),
    '1 pasid-isolation: mdev 0 was attached and has default PASID 2 (active)',
  ],
  [
    'an operation of one VM changes a vector of another',
    twoVms([ENABLED, 'guest.bindPasid 2 @1']),
    ([, step]) => vectorSays(step, 0, 1, ALLOCATED | ARMED | PENDING),
    '1 pasid-isolation: guest.bindPasid of VM 1 changed what is of VM 0: vector 1 of mdev 0 from allocated armed to ' +
      'allocated armed pending',
  ],
  [
    'an operation of one VM changes MSIX_PERM of another',
    twoVms(['guest.msixPerm 1 on 2 @1']),
    ([step]) => {
      parentOf(step).perms = [{ device: 0, vector: 1, value: 0x2008 }];
    },
    '0 pasid-isolation: guest.msixPerm of VM 1 changed what is of VM 0: MSIX_PERM of vector 1 of mdev 0 from 0 to 8200',
  ],
  [
    'an operation of one VM detaches another',
    twoVms(['host.detach @1']),
    ([step]) => mdevSays(step, 0, { life: 'created', defaultPasid: 1 }),
    '0 pasid-isolation: host.detach of VM 1 changed what is of VM 0: life of mdev 0 from open to created',
  ],
  [
    'an operation of one VM ends a descriptor of another',
    twoVms([SUBMITTED, 'vfio.reset @1']),
    ([, step]) => {
      step?.events.push({ kind: 'completed', device: 0, descriptor: 0, status: 0 });
      descriptorSays(step, 0, { phase: 'over' });
    },
    '1 pasid-isolation: vfio.reset of VM 1 changed what is of VM 0: descriptor 0 of mdev 0 from queued to over',
  ],
  [
    'an operation of one VM is told to another',
    twoVms([SUBMITTED, 'device.start 0']),
    ([, step]) => {
      for (const event of step?.events ?? []) if (event.kind === 'error') event.device = 1;
    },
    '1 pasid-isolation: device.start of VM 0 (descriptor 0 of mdev 0) was told to mdev 1 of VM 1: error',
  ],
  [
    "what is nobody's doing changes an entry",
    twoVms([ENABLED, 'vfio.writeEventfd e5']),
    ([, step]) => entryOf(step, 0, [0, 1], control(OPEN, 3)),
    '1 pasid-isolation: vfio.writeEventfd changed what is of VM 0: entry 0 of @0.1: masked pasid 1 irq 0x101, now ' +
      'entry 0 of @0.1: masked pasid 3 irq 0x101',
  ],
];

describe('pasid-isolation', () => {
  it.each(BROKEN)('sees that %s', (_, at, edit, expected) => {
    expect(judged(at)).toEqual([]);
    expect(judged(at, edit)).toContain(expected);
  });
});

describe('a promise about entries', () => {
  it('holds before the first operation', () => {
    const told = judgedTrace(twoVms([NOTHING]), ({ initialParent }) => {
      const open = { control: control(IMS_PASID_ENABLE, 2), data: 0x101, handle: false };
      initialParent?.entries.push({ entry: 0, device: 0, vector: 1, ...open });
    });
    expect(told).toContain(
      '0 pasid-isolation: entry 0 of vector 1 of mdev 0 is of VM 0 and lets PASID 2 of VM 1 through',
    );
    expect(told).toContain('0 mask-independence: entry 0 of @0.1: unmasked pasid 2 irq 0x101 is to be masked');
  });
});

describe('a signal too many', () => {
  it.each([
    ['of its own', twoVms([ENABLED, NOTHING]), 'e1'],
    ['of an eventfd that both VMs have', twoVms([`${SET} 1+1 [e1] @1`, ENABLED, NOTHING]), 'e1'],
    ['of an eventfd that nobody has', twoVms([ENABLED, NOTHING]), 'e9'],
  ] as const)('%s is spurious and nothing of another VM', (_whose, at, eventfd) => {
    const told = judged(at, (steps) => {
      steps.at(-1)?.events.push({ kind: 'signalled', eventfd, count: 1 });
    });
    expect(told).toContainEqual(expect.stringContaining('no-spurious-interrupt'));
    expect(told).not.toContainEqual(expect.stringContaining('pasid-isolation'));
  });
});
