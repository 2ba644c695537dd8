import { describe, expect, it } from 'vitest';
import { ALLOCATED, ARMED, PENDING, type Scenario, UNMASKED } from '#vocabulary';
import {
  control,
  DISABLE,
  descriptorSays,
  ENABLED,
  ends,
  entrySays,
  mdevSays,
  NOTHING,
  OPEN,
  outcomeIs,
  PENDS,
  parentOf,
  pasidSays,
  type Row,
  refuse,
  SET,
  STARTED,
  SUBMITTED,
  saysNothing,
  saysNothingOfVector,
  vectorSays,
  without,
} from './mdev-tampered.fixture.ts';
import { type Edit, judged, signalled, twoVms } from './tampered.fixture.ts';

const LOST: readonly Row[] = [
  [
    'a descriptor is taken and dropped',
    twoVms(['guest.submit 0 dedicated 0 handle=0']),
    ([step]) => {
      parentOf(step).descriptors = [];
      parentOf(step).pasids = [];
    },
    '0 no-lost-interrupt: descriptor 0 of mdev 0 was taken, and is neither in flight nor reported',
  ],
  [
    'a completion of a masked vector does not make it pending',
    twoVms(PENDS),
    (steps) => saysNothingOfVector(steps[3]),
    '3 no-lost-interrupt: e1 (vector 1 of mdev 0) was signalled 0 times where 1 were owed',
  ],
  [
    'what is pending goes with the trigger',
    twoVms([...PENDS, `${SET} 1+1 [-1]`]),
    (steps) => vectorSays(steps[4], 0, 1, 0),
    '4 no-lost-interrupt: an interrupt of vector 1 of mdev 0 went away: it is neither pending nor told to anybody',
  ],
  [
    'what is pending is not told when the vector is unmasked',
    twoVms([...PENDS, 'guest.unmask 1']),
    (steps) => without(steps[4], 'signalled'),
    '4 no-lost-interrupt: e1 (vector 1 of mdev 0) was signalled 0 times where 1 were owed',
  ],
  [
    'what is pending stays so when the vector is unmasked',
    twoVms([...PENDS, 'guest.unmask 1']),
    (steps) => vectorSays(steps[4], 0, 1, ALLOCATED | ARMED | UNMASKED | PENDING),
    '4 no-lost-interrupt: vector 1 of mdev 0 is pending and nothing holds it back',
  ],
  [
    'a drain at a swap tells nobody',
    twoVms(['guest.unmask 1', 'guest.bindPasid 2', ...STARTED, 'guest.msixPerm 1 on 2', `${SET} 1+1 [e2]`]),
    (steps) => without(steps[6], 'signalled'),
    '6 no-lost-interrupt: all eventfds (vector 1 of mdev 0) was signalled 0 times where 1 were owed',
  ],
  [
    'a descriptor ends and nobody is told',
    twoVms(PENDS),
    (steps) => without(steps[3], 'completed'),
    '3 no-lost-interrupt: descriptor 0 of mdev 0 is over and was reported 0 times',
  ],
  [
    'a descriptor is reported and goes on',
    twoVms([SUBMITTED, 'vfio.reset']),
    ([, step]) => {
      parentOf(step).descriptors = [];
    },
    '1 no-lost-interrupt: descriptor 0 of mdev 0 was reported and is in flight',
  ],
  [
    'the hardware does not go on with a descriptor',
    twoVms([SUBMITTED.replace('handle=0', 'handle=0 no-rci'), 'device.start 0']),
    ([, step]) => {
      parentOf(step).descriptors = [];
    },
    '1 no-lost-interrupt: descriptor 0 of mdev 0 is queued as before, and the hardware has gone on with it',
  ],
  [
    'a descriptor without completion interrupt is refused',
    twoVms([SUBMITTED.replace('handle=0', 'handle=0 no-rci'), 'device.start 0']),
    ([, step]) => refuse(step),
    '1 no-lost-interrupt: descriptor 0 of mdev 0 was refused, and entry 0 lets PASID 1 through',
  ],
  [
    'a descriptor with a good handle is refused',
    twoVms([ENABLED, 'guest.requestHandle 1', SUBMITTED, 'device.start 0'], { parent: { handles: 'requested' } }),
    (steps) => refuse(steps[3]),
    '3 no-lost-interrupt: descriptor 0 of mdev 0 was refused, and entry 0 lets PASID 1 through',
  ],
  [
    'a loopback reaches nobody',
    twoVms([ENABLED, 'vfio.setIrqs MSIX NONE|TRIGGER 1+1 []']),
    ([, step]) => without(step, 'signalled'),
    '1 no-lost-interrupt: e1 (the loopback of vector 1) was signalled 0 times where 1 were owed',
  ],
  [
    'the event of an error reaches nobody',
    twoVms([`${SET} 0+1 [e0]`, 'guest.unmask 0', SUBMITTED, 'device.start 0']),
    (steps) => without(steps[3], 'signalled'),
    '3 no-lost-interrupt: e0 (vector 0 of mdev 0) was signalled 0 times where 1 were owed',
  ],
];

const SPURIOUS: readonly Row[] = [
  [
    'a completion that is ignored signals',
    twoVms(['guest.unmask 1', 'guest.msixPerm 1 off 0 ignore', ...PENDS]),
    (steps) => signalled(steps[5], { e1: 1 }),
    '5 no-spurious-interrupt: e1 was signalled 1 times where at most 0 had a reason',
  ],
  [
    'two completions of a masked vector are told twice',
    twoVms([...PENDS, SUBMITTED, 'device.start 0', 'device.complete 0', 'guest.unmask 1']),
    (steps) => signalled(steps[7], { e1: 2 }),
    '7 no-spurious-interrupt: e1 (vector 1 of mdev 0) was signalled 2 times where at most 1 had a reason',
  ],
  [
    'a vector becomes pending by itself',
    twoVms([ENABLED, NOTHING]),
    ([, step]) => vectorSays(step, 0, 1, ALLOCATED | ARMED | PENDING),
    '1 no-spurious-interrupt: vector 1 of mdev 0 became pending and nothing had made an interrupt',
  ],
  [
    'a descriptor ends that was not in flight',
    twoVms([NOTHING]),
    ([step]) => ends(step, 0, 7, 1),
    '0 no-spurious-interrupt: descriptor 7 was not in flight and mdev 0 reads that it ended',
  ],
  [
    'another mdev reads the end of a descriptor',
    twoVms(PENDS),
    (steps) => {
      for (const event of steps[3]?.events ?? []) if (event.kind === 'completed') event.device = 1;
    },
    '3 no-spurious-interrupt: descriptor 0 was submitted by mdev 0 and mdev 1 reads its end',
  ],
  [
    'a descriptor succeeds that had not begun',
    twoVms([ENABLED, SUBMITTED, NOTHING]),
    ([, , step]) => ends(step, 0, 0, 1),
    '2 no-spurious-interrupt: descriptor 0 had not begun and succeeded',
  ],
  [
    'a descriptor is refused that had begun',
    twoVms([...STARTED, NOTHING]),
    (steps) => ends(steps[3], 0, 0, 0x19),
    '3 no-spurious-interrupt: descriptor 0 was refused, and not when it began',
  ],
  [
    'a descriptor is abandoned for nothing',
    twoVms([SUBMITTED, NOTHING]),
    ([, step]) => ends(step, 0, 0, 0),
    '1 no-spurious-interrupt: descriptor 0 was abandoned, and its mdev is as it was',
  ],
  [
    'a descriptor ends with a status that there is not',
    twoVms([SUBMITTED, NOTHING]),
    ([, step]) => ends(step, 0, 0, 2),
    '1 no-spurious-interrupt: descriptor 0 ended with status 2',
  ],
];

const LEAKS: readonly Row[] = [
  [
    'an mdev has more entries than it may',
    twoVms([`${SET} 1+2 [e1 e2]`], { parent: { quota: 2 } }),
    ([step]) => entrySays(step, 2, { device: 0, vector: 0 }),
    '0 no-leak: mdev 0 has 3 entries of the 2 it may',
  ],
  [
    'a crash leaves the default PASID',
    twoVms(['host.crash 0']),
    ([step]) => {
      parentOf(step).mdevs = parentOf(step).mdevs.map((mdev) => ({ ...mdev, defaultPasid: 1 }));
      parentOf(step).pasids = [];
    },
    '0 no-leak: mdev 0 is not to be attached any more and has default PASID 1',
  ],
  [
    'a removed mdev is still there',
    twoVms(['host.removeMdev']),
    ([step]) => {
      parentOf(step).mdevs = parentOf(step).mdevs.map((mdev) => ({ ...mdev, life: 'created' as const }));
    },
    '0 no-leak: mdev 0 was removed and is created',
  ],
  [
    'a close detaches',
    twoVms(['vfio.close']),
    ([step]) => {
      parentOf(step).mdevs = parentOf(step).mdevs.map((mdev) => ({ ...mdev, defaultPasid: 0 }));
      pasidSays(step, 1, { state: 'free', vm: -1, guest: 0, references: 0 });
    },
    '0 no-leak: mdev 0 is not attached any more, and nobody asked',
  ],
  [
    'a reference is not counted',
    twoVms([ENABLED]),
    ([step]) => pasidSays(step, 1, { references: 1 }),
    '0 no-leak: pasid 1 active, default of VM 0, 1 reference: 1 keep it and 1 carry it',
  ],
  [
    'a free PASID is still of a VM',
    twoVms(['guest.bindPasid 2', 'guest.freePasid 2']),
    ([, step]) => pasidSays(step, 3, { vm: 0 }),
    '1 no-leak: PASID 3 is free and still of VM 0',
  ],
  [
    'an entry could be had and was refused',
    twoVms([ENABLED]),
    ([step]) => {
      saysNothing(step);
      outcomeIs(step, 'ENOSPC');
    },
    '0 no-leak: no entry was left, and 0 of 4 are used',
  ],
  [
    'an entry could be had and was refused, with names behind the range of the call',
    twoVms(['vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1 e2 e3 e4 e5 e6]']),
    ([step]) => {
      saysNothing(step);
      outcomeIs(step, 'ENOSPC');
    },
    '0 no-leak: no entry was left, and 0 of 4 are used',
  ],
  [
    'all entries could be had and were refused',
    twoVms([ENABLED, ENABLED], { profile: 'idxd-mdev-all-closed' }),
    ([, step]) => outcomeIs(step, 'ENOSPC'),
    '1 no-leak: no entry was left, and 2 of 4 are used',
  ],
  [
    'a PASID could be had and was refused',
    twoVms(['guest.bindPasid 2']),
    ([step]) => {
      saysNothing(step);
      outcomeIs(step, 'ENOSPC');
    },
    '0 no-leak: no PASID was left, and 2 of 6 are used',
  ],
  [
    'a default PASID that is shared was refused',
    twoVms(['host.detach', 'host.attach'], { profile: 'idxd-mdev-fixed', vms: [0, 0], parent: { pasids: 1 } }),
    ([, step]) => {
      saysNothing(step);
      outcomeIs(step, 'ENOSPC');
    },
    '1 no-leak: no PASID was left, and 1 of 1 are used',
  ],
  [
    'what takes nothing was refused for want of it',
    twoVms(['vfio.reset']),
    ([step]) => outcomeIs(step, 'ENOSPC'),
    '0 no-leak: vfio.reset takes nothing, and nothing was left',
  ],
  [
    'an mdev stays open after the last close',
    twoVms(['vfio.close']),
    ([step]) => saysNothing(step),
    '0 no-leak: mdev 0 is held 0 times and is open',
  ],
  [
    'an mdev is open no longer before the last close',
    twoVms(['vfio.open', 'vfio.close']),
    ([, step]) => mdevSays(step, 0, { life: 'created', defaultPasid: 1 }),
    '1 no-leak: mdev 0 is held 1 times and is not open',
  ],
  [
    'a close leaves MSI-X set up',
    twoVms([`${SET} 0+1 [e0]`, 'vfio.close']),
    ([, step]) => {
      const [device] = step?.observation ?? [];
      if (device !== undefined) device.enable = true;
    },
    '1 no-leak: mdev 0 is created and has MSI-X set up',
  ],
  [
    'a close leaves a vector as it was',
    twoVms(['guest.unmask 1', 'vfio.close']),
    ([, step]) => saysNothingOfVector(step),
    '1 no-leak: mdev 0 is created and has vectors that are not as they were made',
  ],
  [
    'an mdev that is gone has a default PASID',
    twoVms(['host.removeMdev']),
    ([step]) => mdevSays(step, 0, { defaultPasid: 1 }),
    '0 no-leak: mdev 0 is gone and has default PASID 1',
  ],
  [
    'a crash leaves a descriptor in flight',
    twoVms([SUBMITTED, 'host.crash 0']),
    ([, step]) => {
      without(step, 'completed');
      parentOf(step).descriptors = [];
    },
    '1 no-leak: mdev 0 is created and has descriptor 0 in flight',
  ],
  [
    'MSI-X that was disabled is set up',
    twoVms([ENABLED, DISABLE]),
    ([, step]) => {
      saysNothing(step);
      const [device] = step?.observation ?? [];
      if (device !== undefined) device.enable = true;
    },
    '1 no-leak: MSI-X of mdev 0 was disabled and is set up',
  ],
  [
    'MSI-X is set up and nobody asked',
    twoVms([NOTHING]),
    ([step]) => {
      const [device] = step?.observation ?? [];
      if (device !== undefined) device.enable = true;
    },
    '0 no-leak: MSI-X of mdev 0 is set up and nobody asked',
  ],
  [
    'MSI-X goes off and nobody asked',
    twoVms([`${SET} 0+1 [e0]`, NOTHING]),
    ([, step]) => {
      const [device] = step?.observation ?? [];
      if (device !== undefined) device.enable = false;
    },
    '1 no-leak: MSI-X of mdev 0 is off and nobody asked',
  ],
  [
    'a vector loses its trigger by itself',
    twoVms([`${SET} 0+1 [e0]`, NOTHING]),
    ([, step]) => vectorSays(step, 0, 0, 0),
    '1 no-leak: vector 0 of mdev 0 lost its trigger, and nobody asked for it',
  ],
  [
    'a vector gains a trigger by itself',
    twoVms([`${SET} 1+1 [e1]`, NOTHING]),
    ([, step]) => vectorSays(step, 0, 0, ARMED),
    '1 no-leak: vector 0 of mdev 0 gained its trigger, and nobody asked for it',
  ],
  [
    'a trigger that was removed stays',
    twoVms([`${SET} 0+1 [e0]`, `${SET} 0+1 [-1]`]),
    ([, step]) => saysNothing(step),
    '1 no-leak: vector 0 of mdev 0 keeps the trigger that was taken from it',
  ],
  [
    'a vector has no entry while MSI-X is set up',
    twoVms([ENABLED], { profile: 'idxd-mdev-all-closed' }),
    ([step]) => {
      parentOf(step).entries = parentOf(step).entries.filter(({ vector }) => vector !== 2);
      vectorSays(step, 0, 2, 0);
    },
    '0 no-leak: vector 2 of mdev 0 has MSI-X set up and no entry',
  ],
];

const ERRORS: readonly Row[] = [
  [
    'a status changes a vector',
    twoVms(['guest.requestHandle 1']),
    ([step]) => vectorSays(step, 0, 1, UNMASKED),
    '0 error-state-documented: status 0x42 was returned and yet vector 1 of mdev 0 from idle to unmasked',
  ],
  [
    'an error makes an event',
    twoVms(['guest.bindPasid 0']),
    ([step]) => {
      step?.events.push({ kind: 'revoked', device: 0 });
    },
    '0 error-state-documented: EINVAL was returned and yet it made an event: revoked',
  ],
  [
    'a failed range ends a descriptor that it does not say',
    twoVms([ENABLED, `${SET} 2+1 [bad]`]),
    ([, step]) => ends(step, 0, 0, 1),
    '1 error-state-documented: EBADF was returned and yet it made an event: completed',
  ],
  [
    'a failed range takes the trigger of a later vector only',
    twoVms([`${SET} 0+2 [e0 e1]`, `${SET} 0+2 [bad e3]`]),
    ([, step]) => {
      vectorSays(step, 0, 0, ARMED);
      vectorSays(step, 0, 1, 0);
      entrySays(step, 0, {});
      pasidSays(step, 1, { state: 'active', vm: 0, references: 1 });
    },
    '1 error-state-documented: EBADF was returned and yet vector 0 of mdev 0 kept its trigger while 1 lost it',
  ],
  [
    'a failed range changes a vector outside it',
    twoVms([`${SET} 0+2 [e0 e1]`, `${SET} 0+1 [bad]`]),
    ([, step]) => vectorSays(step, 0, 1, ALLOCATED),
    '1 error-state-documented: EBADF was returned and yet vector 1 of mdev 0 from allocated armed to allocated',
  ],
  [
    'a failed range leaves an entry with another PASID',
    twoVms(['guest.bindPasid 2', ENABLED, `${SET} 1+1 [bad]`], { profile: 'idxd-mdev-all-closed' }),
    ([, , step]) => entrySays(step, 0, { control: control(OPEN, 3), data: 0, device: 0, vector: 1 }),
    '2 error-state-documented: EBADF was returned and yet entry 0 of @0.1: masked pasid 1 irq 0x101, now entry 0 of ' +
      '@0.1: masked pasid 3',
  ],
  [
    'a failed range takes a PASID',
    twoVms([ENABLED, `${SET} 1+1 [bad]`]),
    ([, step]) => pasidSays(step, 3, { state: 'active', vm: 0, guest: 2, references: 1 }),
    '1 error-state-documented: EBADF was returned and yet pasid 3 free, now pasid 3 active, guest 2 of VM 0, 1 ' +
      'reference',
  ],
  [
    'a failed range ends what had not begun',
    twoVms([ENABLED, SUBMITTED, `${SET} 1+1 [bad]`]),
    ([, , step]) => descriptorSays(step, 0, { phase: 'over' }),
    '2 error-state-documented: EBADF was returned and yet descriptor 0 of mdev 0 from queued to over',
  ],
  [
    'a failed range changes MSIX_PERM',
    twoVms([ENABLED, `${SET} 1+1 [bad]`]),
    ([, step]) => {
      parentOf(step).perms = [{ device: 0, vector: 1, value: 8 }];
    },
    '1 error-state-documented: EBADF was returned and yet MSIX_PERM of vector 1 of mdev 0 from 0 to 8',
  ],
];

describe('the promises about what mdevs deliver and give back', () => {
  it.each([...LOST, ...SPURIOUS])('are broken where %s', check);
  it.each([...LEAKS, ...ERRORS])('are broken where %s', check);
});

function check(_: string, at: Scenario, edit: Edit, expected: string): void {
  expect(judged(at)).toEqual([]);
  expect(judged(at, edit)).toContain(expected);
}
