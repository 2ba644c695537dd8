import { describe, expect, it } from 'vitest';
import {
  ALLOCATED,
  ARMED,
  firstMessage,
  INTX_HANDLER,
  PENDING,
  type Scenario,
  type Trace,
  UNMASKED,
  vmmEventfd,
} from '#vocabulary';
import type { ProfileName } from '../../model/profiles.ts';
import { specify } from '../../model/reference.ts';
import { INVARIANTS, violations } from './index.ts';
import { type Edit, guestScenario, judged, type Mutable, received, says } from './tampered.fixture.ts';

const LIVE = ALLOCATED | ARMED | UNMASKED;
const ON = 'guest.msixControl enable';
const FUNCTION_MASK = 'guest.msixControl enable function-mask';
const OFF = 'guest.msixControl disable';

const growing = (lines: readonly string[]): Scenario => guestScenario('linux-6.12+qemu-10.0', 'drops', lines);
const irqfd = (lines: readonly string[]): Scenario => guestScenario('linux-6.12+qemu-10.0/irqfd', 'latches', lines);
const atOnce = (lines: readonly string[]): Scenario => guestScenario('linux-6.1+all-at-enable', 'drops', lines);
/** A function with a reset of its own. */
function resetting(lines: readonly string[]): Scenario {
  const { config, operations } = growing(lines);
  return { operations, config: { ...config, devices: config.devices.map((at) => ({ ...at, reset: true })) } };
}

const tearing = (lines: readonly string[]): Scenario => guestScenario('linux-6.1+qemu-7.2', 'drops', lines);

const message = (vector: number): string => `message 0x${(0x4000 + vector).toString(16)} to 0x${addressOf(vector)}`;
const addressOf = (vector: number): string => firstMessage(0, vector).address.toString(16);

/** What the observation says that the guest reads. */
function reads(step: Mutable<Trace['steps'][number]> | undefined) {
  const guest = says(step, {}).guest;
  if (guest === undefined) throw new Error('the guest was not observed');
  return guest;
}

/** For each invariant: a scenario, what is done to its run, and what the invariant says. */
const BROKEN: readonly (readonly [string, Scenario, Edit, string])[] = [
  [
    'the message of an open vector does not come',
    growing([ON, 'guest.unmask 1', 'device.raise 1']),
    (steps) => received(steps[2], []),
    '2 no-lost-interrupt: vector 1 raised in operation 2 and its message never came',
  ],
  [
    'the message of an open vector comes later than in its step',
    irqfd([ON, 'guest.unmask 1', 'device.raise 1', 'guest.readPba 1']),
    (steps) => {
      received(steps[2], []);
      received(steps[3], [1]);
    },
    '2 no-lost-interrupt: vector 1 raised in operation 2 and its message never came',
  ],
  [
    'an event that was pending is not replayed when its vector is unmasked',
    atOnce([ON, 'device.raise 2', 'guest.unmask 2']),
    (steps) => received(steps[2], []),
    '2 no-lost-interrupt: vector 2 raised in operation 1 and its message never came',
  ],
  [
    'one of two events that were pending is not replayed when Function Mask is cleared',
    growing([FUNCTION_MASK, 'guest.unmask 0', 'guest.unmask 1', 'device.raise 0', 'device.raise 1', ON]),
    (steps) => received(steps[5], [1]),
    '5 no-lost-interrupt: vector 0 raised in operation 3 and its message never came',
  ],
  [
    'one of two equal messages does not come',
    growing([
      ...['guest.tableWrite 1 +0/4 0x100000', 'guest.tableWrite 1 +8/4 0x4000', 'guest.unmask 0', 'guest.unmask 1'],
      ...[FUNCTION_MASK, 'device.raise 0', 'device.raise 1', ON],
    ]),
    (steps) => received(steps[7], [0]),
    '7 no-lost-interrupt: vector 1 raised in operation 6 and its message never came',
  ],
  [
    'the pending bit goes away and no message comes',
    guestScenario('linux-6.12+qemu-10.0', 'latches', [ON, 'device.raise 3', 'guest.unmask 3']),
    (steps) => received(steps[2], []),
    '2 no-lost-interrupt: vector 3 raised in operation 1 and its message never came',
  ],
  [
    'an event in the gap is lost by one who adds vectors one by one',
    growing([ON, 'guest.unmask 0', 'device.arm 0 before-call', 'guest.unmask 3']),
    (steps) => received(steps[3], []),
    '3 no-lost-interrupt: vector 0 raised in the before-call of operation 3 and its message never came',
  ],
  [
    'an event stays pending although its vector could send it',
    growing([ON, 'guest.unmask 1', 'device.arm 1 before-call', 'guest.mask 1', 'guest.unmask 1']),
    (steps) => {
      received(steps[4], []);
      says(steps[4], { 1: LIVE | PENDING });
    },
    '4 no-lost-interrupt: vector 1 raised in operation 3 and its message never came',
  ],
  [
    'a message comes twice',
    growing([ON, 'guest.unmask 1', 'device.raise 1']),
    (steps) => received(steps[2], [1, 1]),
    `2 no-spurious-interrupt: ${message(1)} came, and vector 1 had no event to tell`,
  ],
  [
    'a message comes for nothing',
    atOnce([ON, 'guest.unmask 1', 'guest.readPba 1']),
    (steps) => received(steps[2], [1]),
    `2 no-spurious-interrupt: ${message(1)} came, and vector 1 had no event to tell`,
  ],
  [
    'an event that was told is told again',
    irqfd([ON, 'device.raise 1', 'guest.unmask 1', 'guest.mask 1', 'guest.unmask 1']),
    (steps) => received(steps[4], [1]),
    `4 no-spurious-interrupt: ${message(1)} came, and vector 1 had no event to tell`,
  ],
  [
    'a masked vector sends',
    growing([ON, 'guest.unmask 1', 'guest.mask 1', 'device.raise 1']),
    (steps) => received(steps[3], [1]),
    `3 no-spurious-interrupt: ${message(1)} came, and the guest has vector 1 masked`,
  ],
  [
    'a vector sends when it is masked, after the call that masks it',
    irqfd([ON, 'guest.unmask 1', 'device.arm 1 after-set', 'guest.mask 1']),
    (steps) => received(steps[3], [1]),
    `3 no-spurious-interrupt: ${message(1)} came, and the guest has vector 1 masked`,
  ],
  [
    'an unmasked vector sends while Function Mask is set',
    growing([ON, 'guest.unmask 1', FUNCTION_MASK, 'device.raise 1']),
    (steps) => received(steps[3], [1]),
    `3 no-spurious-interrupt: ${message(1)} came, and the guest has Function Mask set`,
  ],
  [
    'an unmasked vector sends while MSI-X is off',
    growing([ON, 'guest.unmask 1', OFF, 'device.raise 1']),
    (steps) => received(steps[3], [1]),
    `3 no-spurious-interrupt: ${message(1)} came, and the guest has MSI-X off`,
  ],
  [
    'a vector of a function that drops sends what it had while MSI-X was off',
    growing([ON, 'guest.unmask 1', OFF, 'device.raise 1', ON]),
    (steps) => received(steps[4], [1]),
    `4 no-spurious-interrupt: ${message(1)} came, and vector 1 had no event to tell`,
  ],
  [
    'a vector sends the message it had before it was masked',
    growing([ON, 'guest.unmask 1', 'guest.mask 1', 'guest.tableWrite 1 +8/4 0x55', 'guest.unmask 1', 'device.raise 1']),
    (steps) => received(steps[5], [1]),
    `5 no-spurious-interrupt: ${message(1)} came, and no entry has it`,
  ],
  [
    'a vector sends the message of another',
    growing([ON, 'guest.unmask 1', 'guest.unmask 2', 'device.raise 1']),
    (steps) => received(steps[3], [2]),
    `3 no-spurious-interrupt: ${message(2)} came, and vector 2 had no event to tell`,
  ],
  [
    'a message goes to another upper address',
    growing([ON, 'guest.unmask 1', 'device.raise 1']),
    (steps) => received(steps[2], [{ ...firstMessage(0, 1), high: 1 }]),
    '2 no-spurious-interrupt: message 0x4001 to 0x1:0x100004 came, and no entry has it',
  ],
  [
    'an event with bus mastering off is told',
    growing([ON, 'guest.unmask 1', 'guest.busMaster disable', 'device.raise 1']),
    (steps) => received(steps[3], [1]),
    `3 no-spurious-interrupt: ${message(1)} came, and vector 1 had no event to tell`,
  ],
  [
    'an unmasked vector is not armed',
    growing([ON, 'guest.unmask 1']),
    (steps) => says(steps[1], { 1: ALLOCATED }),
    '1 order-independence: vector 1 is open to the guest and is allocated at the host',
  ],
  [
    'MSI-X is not on at the host',
    growing([ON]),
    (steps) => {
      says(steps[0], {}).enable = false;
    },
    '0 order-independence: the guest has MSI-X on and it is off at the host',
  ],
  [
    'MSI-X stays on at the host',
    growing([ON, OFF]),
    (steps) => {
      says(steps[1], {}).enable = true;
    },
    '1 order-independence: the guest has MSI-X off and it is on at the host',
  ],
  [
    'a message is missing',
    irqfd([ON, 'device.raise 1', 'guest.tableWrite 1 +8/8 0x77 high=0x0']),
    (steps) => received(steps[2], []),
    '2 policy-equivalence: a bare function would have sent the message 0x77 to 0x100004, and none came',
  ],
  [
    'a message is one too many',
    irqfd([ON, 'device.raise 1', 'device.raise 1', 'guest.unmask 1']),
    (steps) => received(steps[3], [1, 1]),
    `3 policy-equivalence: ${message(1)} came, and a bare function would not send it`,
  ],
  [
    'the mask bit reads otherwise',
    atOnce([ON, 'guest.tableWrite 2 +12/4 0xfffffffe']),
    (steps) => {
      reads(steps[1]).changes = [];
    },
    '1 policy-equivalence: the guest unmasked vector 2 and reads it otherwise',
  ],
  [
    'the mask bit changes by itself',
    atOnce([ON, 'guest.busMaster disable']),
    (steps) => {
      reads(steps[1]).changes = [{ vector: 3, state: UNMASKED }];
    },
    '1 policy-equivalence: the guest masked vector 3 and reads it otherwise',
  ],
  [
    'Enable reads otherwise',
    atOnce(['guest.configWrite +3/1 0x80']),
    (steps) => {
      reads(steps[0]).enable = false;
    },
    '0 policy-equivalence: the guest wrote Enable true and reads false',
  ],
  [
    'Function Mask reads otherwise',
    atOnce(['guest.configWrite +0/4 0x40000000']),
    (steps) => {
      reads(steps[0]).functionMask = false;
    },
    '0 policy-equivalence: the guest wrote Function Mask true and reads false',
  ],
  [
    'the table reads otherwise',
    atOnce(['guest.tableWrite 1 +4/8 0x12 high=0x34', 'guest.tableRead 1 +8']),
    ([, step]) => {
      if (step !== undefined) step.outcome = { kind: 'value', value: 0x4001 };
    },
    '1 policy-equivalence: the guest wrote 52 and reads 16385',
  ],
  [
    'an entry that the table has cannot be read',
    atOnce(['guest.tableRead 3 +8']),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'errno', errno: 'EINVAL' };
    },
    '0 policy-equivalence: the guest wrote 16387 and reads nothing',
  ],
  [
    'MSI-X is off although the VMM was granted it',
    tearing([ON]),
    (steps) => {
      says(steps[0], {}).enable = false;
    },
    '0 layers-agree: the VMM was granted MSI-X on and it is off',
  ],
  [
    'a vector is armed that the VMM did not ask for',
    growing([ON, 'guest.unmask 2']),
    (steps) => says(steps[1], { 1: LIVE }),
    '1 layers-agree: vector 1 is armed and the VMM was not granted it',
  ],
  [
    'a vector is not armed that the VMM was granted',
    growing([ON, 'guest.unmask 2']),
    (steps) => says(steps[1], { 2: ALLOCATED }),
    '1 layers-agree: vector 2 is not armed and the VMM was granted it',
  ],
  [
    'a vector is not armed as the VMM asked for it wrongly, which is no excuse',
    growing([ON, 'guest.unmask 2']),
    (steps) => {
      const [call] = steps[1]?.calls ?? [];
      if (call?.kind === 'vfio') call.outcome = { kind: 'errno', errno: 'EINVAL' };
      says(steps[1], { 2: 0 });
    },
    '1 order-independence: vector 2 is open to the guest and is idle at the host',
  ],
  [
    'the function is not reset with its guest',
    resetting(['guest.reset']),
    (steps) => {
      if (steps[0] !== undefined) steps[0].calls = [];
    },
    '0 reset-state: the function can be reset and was 0 times',
  ],
  [
    'an event is pending after a reset',
    resetting([ON, 'device.raise 1', 'guest.reset']),
    (steps) => {
      reads(steps[2]).changes = [];
    },
    '2 reset-state: the guest reads vector 1 as pending after the reset',
  ],
  [
    'MSI-X stays on at the host in a reset',
    resetting([ON, 'guest.reset']),
    (steps) => {
      says(steps[1], {}).enable = true;
    },
    '1 reset-state: MSI-X is not off after the reset',
  ],
  [
    'an armed vector is masked at the host',
    growing([ON, 'guest.unmask 2']),
    (steps) => says(steps[1], { 2: ALLOCATED | ARMED }),
    '1 layers-agree: vector 2 is armed and its entry is masked',
  ],
  [
    'an entry that is not armed is unmasked at the host',
    growing([ON, 'guest.unmask 2']),
    (steps) => says(steps[1], { 0: ALLOCATED | UNMASKED }),
    '1 layers-agree: vector 0 is not armed and its entry is unmasked',
  ],
  [
    'an armed vector owns no irq of the host',
    growing([ON, 'guest.unmask 2']),
    (steps) => says(steps[1], { 2: ARMED | UNMASKED }),
    '1 layers-agree: vector 2 is armed and owns no Linux irq',
  ],
  [
    'INTx is left up beside MSI-X',
    growing([ON]),
    (steps) => {
      says(steps[0], {}).registers = INTX_HANDLER;
    },
    '0 layers-agree: INTx has its handler and MSI-X is on',
  ],
  [
    'Function Mask is left set at the host',
    growing([ON, 'guest.unmask 2']),
    (steps) => {
      says(steps[1], {}).functionMask = true;
    },
    '1 layers-agree: Function Mask is set at the host between operations',
  ],
  [
    'an irqfd is released twice',
    irqfd([ON, 'guest.unmask 2', OFF]),
    ([, , step]) => {
      step?.calls?.push({ kind: 'kvm.irqfd', eventfd: vmmEventfd(0, 'irqfd', 2), assign: false });
    },
    '2 no-leak: KVM was told to let go of e4002, which it did not have',
  ],
  [
    'an irqfd is left behind',
    irqfd([ON, 'guest.unmask 2', OFF]),
    ([, , step]) => {
      if (step?.calls !== undefined) step.calls = step.calls.filter(({ kind }) => kind === 'vfio');
    },
    '2 no-leak: the guest has disabled MSI-X and KVM still has e4002',
  ],
  [
    'a vector is left behind at the host',
    growing([ON, 'guest.unmask 2', OFF]),
    (steps) => says(steps[2], { 2: ALLOCATED }),
    '2 no-leak: the guest has disabled MSI-X and 1 vectors are allocated',
  ],
  [
    'the host has too few vectors for no reason',
    growing([ON, 'guest.unmask 2']),
    (steps) => {
      const [call] = steps[1]?.calls ?? [];
      if (call?.kind === 'vfio') call.outcome = { kind: 'errno', errno: 'ENOSPC' };
      says(steps[1], { 2: 0 });
    },
    '1 no-leak: the host had too few vectors, and nothing was short',
  ],
];

describe('an invariant of machines with a VMM', () => {
  it.each(BROKEN)('notices that %s', (_what, at, edit, said) => {
    expect(judged(at)).toEqual([]);
    expect(judged(at, edit)).toContain(said);
  });

  it('has a case here that breaks it', () => {
    const broken = new Set(BROKEN.map(([, , , said]) => said.split(' ')[1]?.replace(':', '')));
    const promised = INVARIANTS.filter(({ startGuest }) => startGuest !== undefined);
    expect([...broken].sort()).toEqual(promised.map(({ id }) => id).sort());
  });

  it('judges a run that ended early by what it showed', () => {
    const at = growing([ON, 'guest.unmask 1', 'device.raise 1']);
    const trace = structuredClone(specify(at)) as Mutable<Trace>;
    trace.steps[2] = { outcome: { kind: 'unknown', reason: 'crash' }, events: [], observation: [], clauses: [] };
    expect(violations(INVARIANTS, at.config, at.operations, trace as Trace)).toEqual([]);
  });
});

describe('a message is lost', () => {
  const growth = [ON, 'guest.unmask 0', 'device.arm 0 teardown-gap', 'guest.unmask 1'];
  const refused = [ON, 'guest.unmask 0', 'host.failAllocation 1', 'guest.unmask 1'];
  const others: readonly ProfileName[] = ['linux-6.12+qemu-10.0', 'linux-6.1+all-at-enable'];

  it('in the gap of a growth, told with the steps that made it', () => {
    const at = tearing(growth);
    expect(violations(INVARIANTS, at.config, at.operations, specify(at))).toEqual([
      {
        invariant: 'no-lost-interrupt',
        step: 3,
        causes: [2, 3],
        message: 'vector 0 raised in the teardown-gap of operation 3 and its message never came',
      },
    ]);
  });

  it('when its vector opens, if it was masked in the gap', () => {
    const at = tearing([ON, 'guest.unmask 0', 'guest.mask 0', ...growth.slice(2), 'guest.readPba 0', 'guest.unmask 0']);
    expect(violations(INVARIANTS, at.config, at.operations, specify(at))).toMatchObject([
      { step: 6, causes: [3, 4, 6], message: expect.stringContaining('in the teardown-gap of operation 4') },
    ]);
  });

  it('after a growth that the host refused, told with the operation that left MSI-X off', () => {
    const at = tearing([...refused, 'device.raise 0']);
    expect(violations(INVARIANTS, at.config, at.operations, specify(at))).toEqual([
      {
        invariant: 'no-lost-interrupt',
        step: 4,
        causes: [3, 4],
        message:
          'vector 0 raised in operation 4, after operation 3 had left MSI-X off at the host, ' +
          'and its message never came',
      },
    ]);
  });

  it('before the call that repairs such a growth', () => {
    const at = tearing([...refused, 'guest.mask 0', 'device.arm 0 before-call', 'guest.unmask 0']);
    expect(violations(INVARIANTS, at.config, at.operations, specify(at))).toMatchObject([
      { step: 6, causes: [3, 5, 6], message: expect.stringContaining('the before-call of operation 6, after') },
    ]);
  });

  it.each([
    ['the device latches', guestScenario('linux-6.1+qemu-7.2', 'latches', growth)],
    ...others.map((profile) => [`on ${profile}`, guestScenario(profile, 'drops', growth)] as const),
    ['the guest turns MSI-X off in that step', tearing([...growth.slice(0, 3), OFF, ON])],
    ['the guest resets the device before it could come', tearing([ON, 'device.raise 2', 'guest.reset', ON])],
    ['the vector itself was refused and never had', tearing([...refused, 'device.raise 1', 'guest.readPba 1'])],
    [
      'the vector was refused, raised then, and was granted later',
      tearing([...refused, 'device.raise 1', 'guest.mask 1', 'guest.unmask 2', 'guest.unmask 1']),
    ],
    [
      'the host refused MSI-X as a whole',
      atOnce(['host.failAllocation 1', 'guest.unmask 0', ON, 'device.raise 0', 'device.raise 1', 'guest.unmask 1']),
    ],
    [
      'the device raises before the call that enables',
      growing(['guest.unmask 0', 'device.arm 0 before-call', ON, 'guest.mask 0', 'guest.unmask 0']),
    ],
    [
      'bus mastering is off when it happens',
      growing([ON, 'guest.unmask 0', 'guest.busMaster disable', 'device.raise 0', 'guest.busMaster enable']),
    ],
    [
      'bus mastering is off when its vector opens',
      growing([ON, 'guest.unmask 0', 'guest.mask 0', 'device.raise 0', 'guest.busMaster disable', 'guest.unmask 0']),
    ],
    ['the function is silent', silenced(growing([ON, 'guest.unmask 0', 'device.raise 0']))],
    ['there is no such vector', growing([ON, 'guest.unmask 0', 'device.raise 9'])],
  ] as const)('never when %s', (_when, at) => {
    expect(judged(at)).toEqual([]);
  });
});

describe('a message is not spurious', () => {
  it.each([
    [
      'that was on its way when its vector was masked',
      irqfd([ON, 'guest.unmask 0', 'device.arm 0 before-call', 'guest.mask 0', 'guest.unmask 0']),
      3,
    ],
    [
      'of the last of many vectors that are masked at once',
      irqfd([ON, 'guest.unmask 0', 'guest.unmask 1', 'device.arm 1 after-set', FUNCTION_MASK]),
      4,
    ],
    [
      'with what the entry was before it was rewritten without being masked',
      irqfd([ON, 'guest.unmask 0', 'guest.tableWrite 0 +8/4 0x99', 'device.raise 0']),
      3,
    ],
    [
      'of an event that a function kept while MSI-X was off',
      guestScenario('linux-6.1+qemu-7.2', 'latches', ['guest.unmask 1', 'device.raise 1', ON]),
      2,
    ],
    [
      'that KVM delivers without looking at bus mastering',
      guestScenario('linux-6.1+all-at-enable/irqfd', 'drops', [
        ...[ON, 'device.raise 1', 'guest.busMaster disable', 'guest.unmask 1'],
      ]),
      3,
    ],
  ])('%s', (_which, at, step) => {
    expect(specify(at).steps[step]?.events).toContainEqual(expect.objectContaining({ kind: 'message', count: 1 }));
    expect(judged(at)).toEqual([]);
  });
});

describe('what the guest reads before it does anything', () => {
  it('is judged with its first operation', () => {
    const at = growing(['guest.readPba 0']);
    const trace = structuredClone(specify(at)) as Mutable<Trace>;
    const [seen] = trace.initial;
    if (seen?.guest !== undefined) seen.guest.changes = [{ vector: 2, state: UNMASKED }];
    expect(violations(INVARIANTS, at.config, at.operations, trace as Trace)).toMatchObject([
      { invariant: 'policy-equivalence', step: 0, message: 'the guest masked vector 2 and reads it otherwise' },
    ]);
  });
});

describe('an event that the device keeps', () => {
  it('is told by its pending bit, which must not go away', () => {
    const at = irqfd([ON, 'guest.unmask 0', 'guest.mask 0', 'device.raise 0', 'guest.unmask 0']);
    const kept: Edit = (steps) => {
      received(steps[4], []);
      says(steps[4], { 0: ALLOCATED | PENDING });
    };
    expect(judged(at, kept)).not.toContainEqual(expect.stringContaining('no-lost-interrupt'));
  });
});

function silenced({ config, operations }: Scenario): Scenario {
  return { config: { ...config, devices: config.devices.map((device) => ({ ...device, silent: true })) }, operations };
}
