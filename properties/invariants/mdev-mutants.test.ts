import { describe, expect, it } from 'vitest';
import { ALLOCATED, ARMED, IMS_IGNORE, IMS_MASK, IMS_PASID_ENABLE, IMS_PENDING, type Scenario } from '#vocabulary';
import {
  control,
  descriptorSays,
  entryOf,
  entrySays,
  pasidSays,
  saysNothing,
  vectorSays,
  without,
} from './mdev-tampered.fixture.ts';
import { type Edit, judged, twoVms } from './tampered.fixture.ts';

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const CLOSED_PASID = control(IMS_MASK, 1);
const OPEN = IMS_MASK | IMS_PASID_ENABLE;

/**
 * Faults of real drivers, as the facts number them: the shortest sequence on which one shows, what it would have shown,
 * and what an invariant says of that, without the model beside it.
 */
const MUTANTS: readonly (readonly [string, Scenario, Edit, readonly string[]])[] = [
  [
    'M1: the guest PASID is written as it is',
    twoVms(['guest.msixPerm 1 on 2', `${SET} 1+1 [e1]`], { profile: 'idxd-mdev-immediate' }),
    ([, step]) => {
      entryOf(step, 0, [0, 1], control(OPEN, 2));
      pasidSays(step, 1, { references: 1 });
      pasidSays(step, 2, { state: 'active', vm: 1, references: 2 });
    },
    ['1 pasid-isolation: entry 0 of vector 1 of mdev 0 is of VM 0 and lets PASID 2 of VM 1 through'],
  ],
  [
    'M3: the guest PASID is looked up among those of another VM',
    twoVms(['guest.msixPerm 1 on 2', 'guest.bindPasid 2 @1', `${SET} 1+1 [e1]`], { profile: 'idxd-mdev-immediate' }),
    ([, , step]) => entryOf(step, 0, [0, 1], control(OPEN, 3)),
    ['2 pasid-isolation: entry 0 of vector 1 of mdev 0 is of VM 0 and lets PASID 3 of VM 1 through'],
  ],
  [
    'M4: a freed entry keeps its PASID',
    twoVms([`${SET} 1+1 [e1]`, `${SET} 1+1 [-1]`]),
    ([, step]) => entrySays(step, 0, { control: control(OPEN, 1) }),
    ['1 pasid-isolation: nobody has an entry and it is not clean: entry 0 free: masked pasid 1'],
  ],
  [
    'M5: a freed entry keeps the number without the enable bit',
    twoVms([`${SET} 1+1 [e1]`, `${SET} 1+1 [-1]`]),
    ([, step]) => entrySays(step, 0, { control: CLOSED_PASID }),
    ['1 pasid-isolation: nobody has an entry and it is not clean: entry 0 free: masked disabled pasid 1'],
  ],
  [
    'M6: an entry changes hands while a descriptor that passed its check is in flight',
    twoVms([`${SET} 1+1 [e1]`, 'guest.submit 0 dedicated 0 handle=0', 'device.start 0', `${SET} 1+1 [-1]`]),
    ([, , , step]) => {
      without(step, 'completed');
      descriptorSays(step, 0, { phase: 'started', device: 0, pasid: 1, entry: 0 });
    },
    [
      '3 pasid-isolation: entry 0, against which descriptor 0 of mdev 0 was checked and is not over, went from @0.1 ' +
        'to @-1.-1',
    ],
  ],
  [
    'M7: a freed entry keeps its pending bit',
    twoVms([
      ...[`${SET} 1+1 [e1]`, 'guest.submit 0 dedicated 0 handle=0', 'device.start 0', 'device.complete 0'],
      `${SET} 1+1 [-1]`,
    ]),
    (steps) => entrySays(steps[4], 0, { control: IMS_MASK | IMS_PENDING }),
    ['4 pasid-isolation: nobody has an entry and it is not clean: entry 0 free: masked pending'],
  ],
  [
    'M8: a PASID is free while an entry carries it',
    twoVms(['guest.bindPasid 2', 'guest.msixPerm 1 on 2', `${SET} 1+1 [e1]`, 'guest.freePasid 2']),
    ([, , , step]) => entryOf(step, 0, [0, 1], control(OPEN, 3)),
    [
      '3 pasid-isolation: entry 0 of vector 1 of mdev 0 lets PASID 3 through, which nobody has',
      '3 no-leak: pasid 3 free: 0 keep it and 1 carry it, so it is free-pending',
    ],
  ],
  [
    'M9: unmasking writes the whole control word',
    twoVms([`${SET} 1+1 [e1]`, 'guest.unmask 1']),
    ([, step]) => entryOf(step, 0, [0, 1], 0),
    [
      '1 mask-independence: guest.unmask made entry 0 of @0.1: unmasked irq 0x101 of entry 0 of @0.1: masked pasid 1 ' +
        'irq 0x101',
      '1 pasid-isolation: entry 0 of vector 1 of mdev 0 is closed and is to let 1 through, by what its guest ' +
        'had written when that was last looked at',
    ],
  ],
  [
    'M10: unmasking hits the message data',
    twoVms([`${SET} 1+1 [e1]`, 'guest.unmask 1']),
    ([, step]) => entrySays(step, 0, { control: control(OPEN, 1), data: 0x100, device: 0, vector: 1 }),
    [
      '1 layers-agree: vector 1 of mdev 0 is allocated armed unmasked and has entry 0 of @0.1: masked pasid 1 irq ' +
        '0x100 where irq 0x101 is its own',
      '1 mask-independence: guest.unmask made entry 0 of @0.1: masked pasid 1 irq 0x100 of entry 0 of @0.1: masked ' +
        'pasid 1 irq 0x101',
    ],
  ],
  [
    'M13: the PASID comes after the entry was unmasked',
    twoVms(['guest.unmask 1', `${SET} 1+1 [e1]`]),
    ([, step]) => entryOf(step, 0, [0, 1], 0),
    ['1 mask-independence: entry 0 of @0.1: unmasked irq 0x101 is to be masked'],
  ],
  [
    'M15: MSIX_PERM is not looked at',
    twoVms(['guest.bindPasid 2', 'guest.msixPerm 1 on 2', `${SET} 1+1 [e1]`]),
    ([, , step]) => entryOf(step, 0, [0, 1], control(OPEN, 1)),
    [
      '2 pasid-isolation: entry 0 of vector 1 of mdev 0 lets PASID 1 through and is to let 3 through, by what ' +
        'its guest had written when that was last looked at',
    ],
  ],
  [
    'M17: another eventfd does not make the host look at MSIX_PERM',
    twoVms([`${SET} 1+1 [e1]`, 'guest.bindPasid 2', 'guest.msixPerm 1 on 2', `${SET} 1+1 [e2]`]),
    ([, , , step]) => saysNothing(step),
    [
      '3 pasid-isolation: entry 0 of vector 1 of mdev 0 lets PASID 1 through and is to let 3 through, by what ' +
        'its guest had written when that was last looked at',
    ],
  ],
  [
    'M19: a reset clears what the guest reads and not the entry',
    twoVms(['guest.bindPasid 2', 'guest.msixPerm 1 on 2', `${SET} 1+1 [e1]`, 'vfio.reset']),
    ([, , , step]) => entryOf(step, 0, [0, 1], control(OPEN, 3)),
    ['3 reset-state: vector 1 of mdev 0 lets PASID 3 through after the reset'],
  ],
  [
    'M20: a close disables nothing',
    twoVms([`${SET} 1+1 [e1]`, 'vfio.close']),
    ([, step]) => {
      entryOf(step, 0, [0, 1], control(OPEN, 1));
      pasidSays(step, 1, { state: 'active', vm: 0, references: 2 });
    },
    ['1 no-leak: mdev 0 is created and has entry 0 of @0.1: masked pasid 1 irq 0x101'],
  ],
  [
    'M22: a vector gets another entry and its guest is not told',
    twoVms([
      ...[`${SET} 1+1 [e1]`, 'guest.requestHandle 1', `${SET} 1+1 [-1] @1`, `${SET} 1+1 [-1]`],
      ...[`${SET} 1+1 [e1] @1`, `${SET} 1+1 [e1]`],
    ]),
    (steps) => {
      without(steps[5], 'revoked');
      vectorSays(steps[5], 0, 0, 0);
    },
    ['5 handle-validity: vector 1 of mdev 0 has entry 1, and its guest was not told that handle 0 is revoked'],
  ],
  [
    'M24: an error is given as a handle',
    twoVms(['guest.requestHandle 1']),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'value', value: 0xffea };
    },
    ['0 handle-validity: vector 1 of mdev 0 has no entry, and its handle is 65514'],
  ],
  [
    'M24: unmasking a vector without an entry writes somewhere',
    twoVms(['guest.unmask 1']),
    ([step]) => entrySays(step, 0, { control: 0 }),
    ['0 pasid-isolation: nobody has an entry and it is not clean: entry 0 free: unmasked'],
  ],
  [
    'M25: a range ends at its count',
    twoVms([`${SET} 1+1 [e1]`]),
    ([step]) => saysNothing(step),
    ['0 no-leak: vector 1 of mdev 0 was given a trigger and has none'],
  ],
  [
    'M28: a failed call leaves an open entry',
    twoVms(['host.failAllocation 1', `${SET} 1+1 [e1]`]),
    ([, step]) => {
      entryOf(step, 0, [0, 1], control(OPEN, 1));
      pasidSays(step, 1, { state: 'active', vm: 0, references: 2 });
      vectorSays(step, 0, 1, ALLOCATED);
    },
    [
      '1 error-state-documented: ENOSPC was returned and yet entry 0 free: masked, now entry 0 of @0.1: masked pasid ' +
        '1 irq 0x101',
      '1 no-leak: vector 1 of mdev 0 has no trigger and entry 0',
    ],
  ],
  [
    'M30: a freed entry goes on ignoring',
    twoVms([`guest.msixPerm 1 off 0 ignore`, `${SET} 1+1 [e1]`, `${SET} 1+1 [-1]`]),
    ([, , step]) => entrySays(step, 0, { control: IMS_MASK | IMS_IGNORE }),
    ['2 pasid-isolation: nobody has an entry and it is not clean: entry 0 free: masked ignore'],
  ],
];

/** The same faults where the entries are not seen: what becomes of descriptors and eventfds. */
const DELIVERIES: readonly (readonly [string, Scenario, Edit, readonly string[]])[] = [
  [
    'M4: a descriptor of the one VM makes an interrupt of the other',
    twoVms([
      ...[`${SET} 1+1 [e1]`, `${SET} 1+1 [-1]`, 'guest.unmask 1 @1', `${SET} 1+1 [e2] @1`],
      ...['guest.submit 0 dedicated 0 handle=0', 'device.start 0'],
    ]),
    (steps) => {
      without(steps[5], 'completed');
      without(steps[5], 'error');
      vectorSays(steps[5], 0, 0, 0);
      pasidSays(steps[5], 1, { references: 2 });
      descriptorSays(steps[5], 0, { phase: 'started', device: 0, pasid: 1, entry: 0 });
    },
    [
      '5 pasid-isolation: descriptor 0 of mdev 0 was let through by entry 0 and may fire vector 1 of mdev 1, which ' +
        "is another VM's",
    ],
  ],
  [
    'M8: a descriptor fires the vector of another VM',
    twoVms([
      ...['guest.unmask 1', `${SET} 1+1 [e1]`, `${SET} 1+1 [e2] @1`, 'guest.submit 0 dedicated 0 handle=1 @1'],
      ...['device.start 0', 'guest.unmask 1 @1', 'device.complete 0'],
    ]),
    (steps) => {
      steps[6]?.events.push({ kind: 'signalled', eventfd: 'e1', count: 1 });
    },
    ['6 pasid-isolation: device.complete of VM 1 (descriptor 0 of mdev 1) fired vector 1 of mdev 0'],
  ],
  [
    'M19: a descriptor is refused that the entry lets through',
    twoVms([`${SET} 1+1 [e1]`, 'guest.submit 0 dedicated 0 handle=0', 'device.start 0']),
    ([, , step]) => {
      if (step === undefined) return;
      step.events = [
        { kind: 'completed', device: 0, descriptor: 0, status: 0x19 },
        { kind: 'error', device: 0, pasid: 0 },
      ];
      descriptorSays(step, 0, { phase: 'over', device: -1, pasid: 0, entry: -1 });
    },
    ['2 no-lost-interrupt: descriptor 0 of mdev 0 was refused, and entry 0 lets PASID 1 through'],
  ],
  [
    'M25: a completion reaches nobody',
    twoVms([
      ...['guest.unmask 1', `${SET} 1+1 [e1]`, 'guest.submit 0 dedicated 0 handle=0', 'device.start 0'],
      'device.complete 0',
    ]),
    (steps) => without(steps[4], 'signalled'),
    ['4 no-lost-interrupt: e1 (vector 1 of mdev 0) was signalled 0 times where 1 were owed'],
  ],
];

describe('the invariants alone', () => {
  it.each([...MUTANTS, ...DELIVERIES])('see %s', (_, at, edit, expected) => {
    expect(judged(at)).toEqual([]);
    expect(judged(at, edit)).toEqual(expect.arrayContaining([...expected]));
  });

  it('see every fault at the last operation of its sequence', () => {
    for (const [, at, edit] of MUTANTS)
      expect(judged(at, edit).every((said) => said.startsWith(`${at.operations.length - 1} `))).toBe(true);
  });

  it('say who has unmasked what', () => {
    const at = twoVms(['guest.mask 1', 'guest.unmask 1', `${SET} 1+1 [e1]`]);
    const edit: Edit = ([, , step]) => vectorSays(step, 0, 1, ALLOCATED | ARMED);
    expect(judged(at, edit)).toContain('2 mask-independence: vector 1 of mdev 0 was masked, and nobody asked');
  });
});
