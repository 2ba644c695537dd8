import type { PciFunction } from '#vocabulary';
import type { GuestScript } from './guest-script.ts';
import type { NotSaid } from './statements.ts';

/** The function of the statements: eight entries, INTx, and a reset of its own. */
const EIGHT: PciFunction = { msixVectors: 8, whileOff: 'drops', intx: true, reset: true };
const EIGHT_LATCHING: PciFunction = { ...EIGHT, whileOff: 'latches' };
const WITHOUT_PIN: PciFunction = { msixVectors: 8, whileOff: 'drops' };

const ENABLE = 'guest.msixControl enable';
const DISABLE = 'guest.msixControl disable';
const MASK_ALL = 'guest.msixControl enable function-mask';

const ALL = ['A', 'B', 'C'] as const;
const STATIC = ['A', 'B'] as const;
const TCG = { delivery: 'userspace', device: EIGHT } as const;
const KVM = { delivery: 'irqfd', device: EIGHT } as const;

function unmask(...vectors: readonly number[]): readonly (readonly [string])[] {
  return vectors.map((vector) => [`guest.unmask ${vector}`]);
}

/** Enabling, and how vectors come to be on the host. */
const GROWTH: readonly GuestScript[] = [
  {
    id: 'S1, S2, S9',
    says: 'with all masked A sets vector 0 up; B and C turn MSI-X on and nothing else',
    strategies: ALL,
    ...TCG,
    lines: [[ENABLE, { A: 'IDIS DIS:EINVAL 0[i0]', B: 'IDIS 0[-]', C: 'IDIS 0[-]' }]],
  },
  {
    id: 'S1, function mask',
    says: 'the same where Function Mask is set over unmasked entries',
    strategies: ALL,
    ...TCG,
    lines: [...unmask(0, 1), [MASK_ALL, { A: 'IDIS DIS:EINVAL 0[i0]', B: 'IDIS 0[-]', C: 'IDIS 0[-]' }]],
  },
  {
    id: 'S3, S4',
    says: 'an event of vector 0 before its first unmask: A keeps it in the eventfd, where the PBA does not show it',
    strategies: ALL,
    ...TCG,
    lines: [
      [ENABLE],
      ['device.raise 0', ''],
      ['guest.readPba 0', { A: '= 0', B: '= 1', C: '= 1' }],
      ['guest.unmask 0', { A: '0[i0] !0', C: '0[i0] !0', B: 'DIS 0[i0] !0' }],
      ['guest.readPba 0', '= 0'],
    ],
  },
  {
    id: 'S5, S6, S7, S8',
    says: 'A and B tear down for each new highest vector and set others alone; C sets each alone',
    strategies: ALL,
    ...TCG,
    lines: [
      [ENABLE],
      ['guest.unmask 0', { A: '0[i0]', B: 'DIS 0[i0]', C: '0[i0]' }],
      ['guest.unmask 1', { A: 'DIS 0[i0 i1]', B: 'DIS 0[i0 i1]', C: '1[i1]' }],
      ['guest.unmask 4', { A: 'DIS 0[i0 i1 - - i4]', B: 'DIS 0[i0 i1 - - i4]', C: '4[i4]' }],
      ['guest.unmask 2', '2[i2]'],
      ['guest.mask 1', ''],
      ['guest.unmask 1', '1[i1]'],
    ],
  },
  {
    id: 'S10, S13',
    says: 'KVM: a mask gives the vector back to the VMM, an unmask to KVM; a growth looks at the masks',
    strategies: ALL,
    ...KVM,
    lines: [
      [ENABLE],
      ['guest.unmask 0', { A: 'ROUTES +k0 0[k0]', B: 'ROUTES +k0 DIS 0[k0]', C: 'ROUTES +k0 0[k0]' }],
      ...unmask(1, 4, 2),
      ['guest.mask 0', '0[i0]'],
      [
        'guest.unmask 6',
        {
          A: 'ROUTES +k6 DIS 0[i0 k1 k2 - k4 - k6]',
          B: 'ROUTES +k6 DIS 0[i0 k1 k2 - k4 - k6]',
          C: 'ROUTES +k6 6[k6]',
        },
      ],
      ['guest.unmask 0', 'ROUTES 0[k0]'],
      ['device.raise 0', '!0'],
    ],
  },
  {
    id: 'S11, descending',
    says: 'the highest vector first costs one tear-down, the others none',
    strategies: ALL,
    ...TCG,
    lines: [
      [ENABLE],
      ['guest.unmask 7', { A: 'DIS 0[i0 - - - - - - i7]', B: 'DIS 0[- - - - - - - i7]', C: '7[i7]' }],
      ['guest.unmask 3', '3[i3]'],
      ['guest.unmask 0', '0[i0]'],
      ['guest.unmask 5', '5[i5]'],
    ],
  },
  {
    id: 'S12',
    says: 'masking all and unmasking again never tears down',
    strategies: ALL,
    ...TCG,
    lines: [
      [ENABLE],
      ...unmask(0, 3),
      ['guest.mask 0', ''],
      ['guest.mask 3', ''],
      ['guest.unmask 3', '3[i3]'],
      ['guest.unmask 0', '0[i0]'],
      ['guest.unmask 2', '2[i2]'],
    ],
  },
  {
    id: 'S18',
    says: 'a table that is programmed before MSI-X is enabled costs no tear-down',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(0, 1, 2, 3),
      [ENABLE, { A: 'IDIS 0[i0 i1 i2 i3]', B: 'IDIS 0[i0 i1 i2 i3]', C: 'IDIS 0[-] 0[i0 i1 i2 i3]' }],
    ],
  },
  {
    id: 'S18, holes',
    says: 'in such a table entries that are masked get no eventfd',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(1, 2, 4, 6),
      [
        ENABLE,
        {
          A: 'IDIS 0[- i1 i2 - i4 - i6]',
          B: 'IDIS 0[- i1 i2 - i4 - i6]',
          C: 'IDIS 0[-] 0[- i1 i2 - i4 - i6]',
        },
      ],
    ],
  },
  {
    id: 'S38, S39',
    says: 'KVM: one routing for the whole table, then the irqfds, then SET_IRQS; disabling takes the irqfds last',
    strategies: ALL,
    ...KVM,
    lines: [
      ...unmask(0, 2),
      [
        ENABLE,
        {
          A: 'IM -intx IU IDIS ROUTES +k0 +k2 0[k0 - k2]',
          B: 'IM -intx IU IDIS ROUTES +k0 +k2 0[k0 - k2]',
          C: 'IM -intx IU IDIS ROUTES +k0 +k2 0[-] 0[k0 - k2]',
        },
      ],
      ['guest.mask 2', '2[i2]'],
      [DISABLE, '0[i0] 2[i2] DIS -k0 -k2 ISET IM +intx IUE IU'],
    ],
  },
  {
    id: 'S16, S17, S19',
    says: 'Function Mask over four vectors: nothing in userspace, and clearing it brings the growth storm',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(0, 1, 2),
      [MASK_ALL],
      ['guest.unmask 3', ''],
      [
        ENABLE,
        {
          A: '0[i0] DIS 0[i0 i1] DIS 0[i0 i1 i2] DIS 0[i0 i1 i2 i3]',
          B: 'DIS 0[i0] DIS 0[i0 i1] DIS 0[i0 i1 i2] DIS 0[i0 i1 i2 i3]',
          C: '0[i0] 1[i1] 2[i2] 3[i3]',
        },
      ],
      [MASK_ALL, ''],
      [ENABLE, '0[i0] 1[i1] 2[i2] 3[i3]'],
    ],
  },
  {
    id: 'S16, KVM',
    says: 'KVM: Function Mask gives each vector back and takes each again, one by one',
    strategies: ALL,
    ...KVM,
    lines: [...unmask(0, 1), [ENABLE], [MASK_ALL, '0[i0] 1[i1]'], [ENABLE, 'ROUTES 0[k0] ROUTES 1[k1]']],
  },
  {
    id: 'S20',
    says: 'disabling turns MSI-X off also when nothing was used, and brings INTx back',
    strategies: ALL,
    ...TCG,
    lines: [[ENABLE], [DISABLE, 'DIS ISET'], [ENABLE], ['guest.unmask 1'], [DISABLE, 'DIS ISET']],
  },
  {
    id: 'S40',
    says: 'a function without a pin is never asked for INTx',
    strategies: ALL,
    delivery: 'irqfd',
    device: WITHOUT_PIN,
    lines: [
      [ENABLE, { A: 'DIS:EINVAL 0[i0]', B: '0[-]', C: '0[-]' }],
      [DISABLE, 'DIS'],
      ['guest.reset', ''],
    ],
  },
];

/** What becomes of events. */
const EVENTS: readonly GuestScript[] = [
  {
    id: 'S14, S15',
    says: 'events of a masked vector show as one pending bit and are one message at the unmask, after the call',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(0, 1),
      [ENABLE],
      ['guest.mask 0', ''],
      ['device.raise 0', ''],
      ['device.raise 0', ''],
      ['device.raise 0', ''],
      ['guest.readPba 0', '= 1'],
      ['guest.unmask 0', '0[i0] !0'],
      ['guest.readPba 0', '= 0'],
      ['device.raise 0', '!0'],
    ],
  },
  {
    id: 'S13, events',
    says: 'KVM: an event of an unmasked vector is a message at once, of a masked one a pending bit',
    strategies: ALL,
    ...KVM,
    lines: [
      ...unmask(0),
      [ENABLE],
      ['device.raise 0', '!0'],
      ['guest.mask 0', '0[i0]'],
      ['device.raise 0', ''],
      ['guest.readPba 0', '= 1'],
      ['guest.unmask 0', 'ROUTES 0[k0] !0'],
    ],
  },
  {
    id: 'S21',
    says: 'what is pending when MSI-X is disabled is forgotten',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(1),
      [ENABLE],
      ['guest.mask 1'],
      ['device.raise 1', ''],
      [DISABLE],
      [ENABLE],
      ['guest.unmask 1', { A: 'DIS 0[i0 i1]', B: 'DIS 0[- i1]', C: '1[i1]' }],
    ],
  },
  {
    id: 'S22',
    says: 'an event between the tear-down and the new set-up never comes; where a vector is added there is no gap',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(0),
      [ENABLE],
      ['device.arm 0 teardown-gap'],
      ['guest.unmask 1', { A: 'DIS 0[i0 i1]', B: 'DIS 0[i0 i1]', C: '1[i1] !0' }],
      ['device.raise 0', '!0'],
    ],
  },
  {
    id: 'S22, latching',
    says: 'a function that latches while MSI-X is off sends the event after the new set-up',
    strategies: ALL,
    delivery: 'userspace',
    device: EIGHT_LATCHING,
    lines: [
      ...unmask(0),
      [ENABLE],
      ['device.arm 0 teardown-gap'],
      ['guest.unmask 1', { A: 'DIS 0[i0 i1] !0', B: 'DIS 0[i0 i1] !0', C: '1[i1] !0' }],
    ],
  },
  {
    id: 'S23',
    says: 'an event before the tear-down is in its eventfd and survives it',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(0),
      [ENABLE],
      ['device.arm 0 before-call'],
      ['guest.unmask 1', { A: 'DIS 0[i0 i1] !0', B: 'DIS 0[i0 i1] !0', C: '1[i1] !0' }],
      ['device.arm 2 after-set'],
      ['guest.unmask 2', { A: 'DIS 0[i0 i1 i2] !2', B: 'DIS 0[i0 i1 i2] !2', C: '2[i2] !2' }],
    ],
  },
  {
    id: 'S29',
    says: 'a message that is rewritten while its vector is unmasked holds at once, and costs no call',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(0),
      [ENABLE],
      ['guest.tableWrite 0 +0/4 0x200000', ''],
      ['guest.tableWrite 0 +8/4 0x77', ''],
      ['device.raise 0', '!119@2097152'],
    ],
  },
  {
    id: 'S29, KVM',
    says: 'KVM: it holds from the next unmask on (W11)',
    strategies: ALL,
    ...KVM,
    lines: [
      ...unmask(0),
      [ENABLE],
      ['guest.tableWrite 0 +8/4 0x77', ''],
      ['device.raise 0', '!0'],
      ['guest.mask 0', '0[i0]'],
      ['guest.unmask 0', 'ROUTES 0[k0]'],
      ['device.raise 0', '!119@1048576'],
    ],
  },
  {
    id: 'S30, S31',
    says: 'one or two bytes change nothing, eight bytes do data and mask at once, and reserved bits are kept',
    strategies: ALL,
    ...TCG,
    lines: [
      [ENABLE],
      ['guest.tableWrite 0 +12/1 0x0', ''],
      ['guest.tableWrite 0 +12/2 0x0', ''],
      ['guest.tableRead 0 +12', '= 1'],
      ['guest.tableWrite 0 +8/8 0x4000', { A: '0[i0]', B: 'DIS 0[i0]', C: '0[i0]' }],
      ['guest.tableRead 0 +12', '= 0'],
      ['guest.tableWrite 0 +12/4 0xfffffffe', ''],
      ['guest.tableRead 0 +12', '= 4294967294'],
      ['device.raise 0', '!0'],
    ],
  },
  {
    id: 'S32',
    says: 'Message Control as it was, or a byte without its two bits, costs no call',
    strategies: ALL,
    ...TCG,
    lines: [
      [ENABLE],
      [ENABLE, ''],
      ['guest.configWrite +2/1 0xff', ''],
      ['guest.configWrite +4/4 0xffffffff', ''],
      ['guest.configWrite +0/4 0x80000000', ''],
      ['guest.configWrite +3/1 0x0', 'DIS ISET'],
    ],
  },
  {
    id: 'S33',
    says: 'with the bus master off an event is gone, also when it is turned on again (W8)',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(0),
      [ENABLE],
      ['guest.mask 0'],
      ['device.raise 0', ''],
      ['guest.busMaster disable', ''],
      ['guest.unmask 0', '0[i0]'],
      ['guest.busMaster enable', ''],
      ['guest.mask 0', ''],
      ['guest.unmask 0', '0[i0]'],
    ],
  },
  {
    id: 'S34',
    says: 'a reset turns MSI-X off before the device is reset, INTx around it, and leaves the table masked',
    strategies: ALL,
    ...TCG,
    lines: [
      ...unmask(0),
      [ENABLE],
      ['guest.reset', 'DIS ISET IDIS RESET ISET'],
      ['guest.tableRead 0 +12', '= 1'],
      ['guest.tableRead 0 +0', '= 0'],
      [ENABLE, { A: 'IDIS DIS:EINVAL 0[i0]', B: 'IDIS 0[-]', C: 'IDIS 0[-]' }],
    ],
  },
  {
    id: 'S35',
    says: 'KVM: a reset releases unmasked vectors twice',
    strategies: ALL,
    delivery: 'irqfd',
    device: { msixVectors: 8, whileOff: 'drops', reset: true },
    lines: [...unmask(0, 1), [ENABLE], ['guest.mask 1'], ['guest.reset', '0[i0] 0[i0] 1[i1] DIS -k0 -k1 RESET']],
  },
];

/** What becomes of the guest when the host refuses. */
const FAILURES: readonly GuestScript[] = [
  {
    id: 'S24, S25, S44',
    says: 'a growth that fails leaves all vectors dead: each comes back by its own unmask, all by the next growth',
    strategies: STATIC,
    ...TCG,
    lines: [
      ...unmask(0, 1),
      [ENABLE],
      ['host.limitVectors 0'],
      ['guest.unmask 2', 'DIS 0[i0 i1 i2]:ENOSPC'],
      ['guest.tableRead 2 +12', '= 0'],
      ['device.raise 0', ''],
      ['host.limitVectors 8'],
      ['guest.mask 1', ''],
      ['guest.unmask 1', '1[i1]'],
      ['device.raise 1', '!1'],
      ['device.raise 0', ''],
      ['guest.unmask 3', 'DIS 0[i0 i1 i2 i3] !0'],
      ['device.raise 2', '!2'],
    ],
  },
  {
    id: 'S26',
    says: 'after that a vector that is set alone allocates no more than up to itself, and one above it fails for ever',
    strategies: STATIC,
    staticHost: true,
    ...TCG,
    lines: [
      ...unmask(0, 1, 2),
      [ENABLE],
      ['host.limitVectors 0'],
      ['guest.unmask 3', 'DIS 0[i0 i1 i2 i3]:ENOSPC'],
      ['host.limitVectors 8'],
      ['guest.mask 1'],
      ['guest.unmask 1', '1[i1]'],
      ['guest.mask 3'],
      ['guest.unmask 3', '3[i3]:EINVAL'],
    ],
  },
  {
    id: 'S27',
    says: 'where a vector is added a refusal concerns it alone, and its next unmask tries again',
    strategies: ['C'],
    ...TCG,
    lines: [
      ...unmask(0, 1),
      [ENABLE],
      ['host.limitVectors 0'],
      ['guest.unmask 5', '5[i5]:ENOSPC'],
      ['device.raise 0', '!0'],
      ['device.raise 5', ''],
      ['host.limitVectors 1'],
      ['guest.mask 5', ''],
      ['guest.unmask 5', '5[i5] !5'],
    ],
  },
  {
    id: 'S28',
    says: 'a guest whose MSI-X could not be turned on is not told, and its next unmask does it',
    strategies: ALL,
    ...TCG,
    lines: [
      ['host.failAllocation 1'],
      [ENABLE, { A: 'IDIS DIS:EINVAL 0[i0]:ENOSPC', B: 'IDIS 0[-]:ENOSPC', C: 'IDIS 0[-]:ENOSPC' }],
      ['guest.unmask 3', { A: 'DIS:EINVAL 0[i0 - - i3]', B: 'DIS:EINVAL 0[- - - i3]', C: '3[i3]' }],
      ['device.raise 3', '!3'],
    ],
  },
  {
    id: 'S28, batch',
    says: 'where turning MSI-X on fails first, the vectors are not asked for',
    strategies: ['C'],
    ...TCG,
    lines: [...unmask(0, 1), ['host.failAllocation 1'], [ENABLE, 'IDIS 0[-]:ENOSPC'], ['device.raise 0', '']],
  },
];

/** The strategy of the other VMMs. */
const AT_ENABLE: readonly GuestScript[] = [
  {
    id: 'D',
    says: 'all at enable: one call for the table, and none afterwards',
    strategies: ['D'],
    ...TCG,
    lines: [
      [ENABLE, 'IDIS 0[i0 i1 i2 i3 i4 i5 i6 i7]'],
      ['guest.unmask 0', ''],
      ['device.arm 0 teardown-gap'],
      ['guest.unmask 7', '!0'],
      ['guest.mask 0', ''],
      ['device.raise 0', ''],
      ['guest.readPba 0', '= 1'],
      ['guest.unmask 0', '!0'],
      [DISABLE, 'DIS ISET'],
    ],
  },
  {
    id: 'D, KVM',
    says: 'all at enable with KVM: events of a masked vector wait in its eventfd, and no pending bit shows them',
    strategies: ['D'],
    delivery: 'irqfd',
    device: WITHOUT_PIN,
    lines: [
      ['guest.unmask 1'],
      [ENABLE, 'ROUTES +i1 0[i0 i1 i2 i3 i4 i5 i6 i7]'],
      ['device.raise 1', '!1'],
      ['guest.mask 1', '-i1'],
      ['device.raise 1', ''],
      ['guest.readPba 1', '= 0'],
      ['guest.unmask 1', 'ROUTES +i1 !1'],
      [DISABLE, 'DIS -i1'],
    ],
  },
];

/** What QEMU and other VMMs do, statement by statement, found by reading and running QEMU 7.2.22 and 10.0.2. */
export const GUEST_STATEMENTS: readonly GuestScript[] = [...GROWTH, ...EVENTS, ...FAILURES, ...AT_ENABLE];

/** Statements that no script says. */
export const GUEST_NOT_SAID: readonly NotSaid[] = [
  {
    id: 'S36',
    says: 'without KVM, QEMU 7.2.22 and 10.0.2 crash when MSI-X is enabled over a table with a hole',
    reason: 'a fault of those versions: the model says what a QEMU without it does, and the real ones are caught by it',
  },
  {
    id: 'S37',
    says: 'with KVM the same leaves an irqfd of no vector behind for each hole',
    reason: 'the same fault',
  },
  {
    id: 'S41',
    says: 'vfio-user splits a call into runs of eventfds and of none',
    reason: 'the transport is vfio itself here, which has one call',
  },
  {
    id: 'S42',
    says: 'GET_IRQ_INFO of MSI-X is asked once, before any SET_IRQS, and NORESIZE is not looked at again',
    reason: 'it is asked before a scenario begins, and a host does not change its traits within one',
  },
  {
    id: 'S43',
    says: 'QEMU 8.2.0 leaves MSI-X on when nothing was used, and INTx fails from then on',
    reason: 'a fault of one release, gone in 9.0',
  },
];
