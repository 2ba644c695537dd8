import { describe, expect, it } from 'vitest';
import { ALLOCATED, ARMED, PENDING, type Scenario, type Trace, UNMASKED } from '#vocabulary';
import { specify } from '../../model/reference.ts';
import { INVARIANTS, isInvariantId, violations } from './index.ts';
import type { InvariantId } from './invariant.ts';
import { type Edit, judged, type Mutable, says, scenario, signalled } from './tampered.fixture.ts';

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const DISABLE = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';
const LIVE = ALLOCATED | ARMED | UNMASKED;

/** For each invariant: a scenario, what is done to its run, and what the invariant says. */
const BROKEN: readonly (readonly [string, Scenario, Edit, string])[] = [
  [
    'a delivered event is not counted',
    scenario('linux-6.1', 'latches', [`${SET} 0+1 [e0]`, 'device.raise 0']),
    (steps) => signalled(steps[1], {}),
    '1 no-lost-interrupt: e0 was signalled 0 times where 1 were owed',
  ],
  [
    'a masked vector forgets',
    scenario('linux-6.1', 'latches', [`${SET} 0+1 [-1]`, 'device.raise 0']),
    (steps) => says(steps[1], { 0: ALLOCATED }),
    '1 no-lost-interrupt: vector 0 raised while its entry is masked, and its pending bit is not set',
  ],
  [
    'a pending bit goes away by itself',
    scenario('linux-6.1', 'latches', [`${SET} 0+1 [-1]`, 'device.raise 0', 'vfio.getIrqInfo MSIX']),
    (steps) => says(steps[2], { 0: ALLOCATED }),
    '2 no-lost-interrupt: the pending bit of vector 0 went away and nothing was delivered',
  ],
  [
    'a pending event is not delivered when its vector is armed',
    scenario('linux-6.1', 'latches', [`${SET} 0+1 [-1]`, 'device.raise 0', `${SET} 0+1 [e0]`]),
    (steps) => signalled(steps[2], {}),
    '2 no-lost-interrupt: e0 was signalled 0 times where 1 were owed',
  ],
  [
    'a pending event is kept back for ever by an entry that is open',
    scenario('linux-6.1', 'latches', ['device.raise 0', `${SET} 0+1 [e0]`]),
    (steps) => {
      signalled(steps[1], {});
      says(steps[1], { 0: LIVE | PENDING });
    },
    '1 no-lost-interrupt: vector 0 is pending and nothing keeps it back',
  ],
  [
    'a loopback reaches nobody',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`, 'vfio.setIrqs MSIX BOOL|TRIGGER 0+2 [0 1]']),
    (steps) => signalled(steps[1], {}),
    '1 no-lost-interrupt: e1 was signalled 0 times where 1 were owed',
  ],
  [
    'a disarmed vector signals its old eventfd',
    scenario('linux-6.1', 'latches', [`${SET} 0+1 [e0]`, `${SET} 0+1 [-1]`, 'device.raise 0']),
    (steps) => signalled(steps[2], { e0: 1 }),
    '2 no-spurious-interrupt: e0 was signalled 1 times where at most 0 had a reason',
  ],
  [
    'the loopback of REQ counts twice',
    scenario('linux-6.1', 'latches', [
      'vfio.setIrqs REQ EVENTFD|TRIGGER 0+1 [e3]',
      'vfio.setIrqs REQ BOOL|TRIGGER 0+1 [1]',
    ]),
    (steps) => signalled(steps[1], { e3: 2 }),
    '1 no-spurious-interrupt: e3 was signalled 2 times where at most 1 had a reason',
  ],
  [
    'REQ keeps a trigger that was removed',
    scenario('linux-6.1', 'latches', [
      'vfio.setIrqs REQ EVENTFD|TRIGGER 0+1 [e3]',
      'vfio.setIrqs REQ EVENTFD|TRIGGER 0+1 [-1]',
      'vfio.setIrqs REQ BOOL|TRIGGER 0+1 [1]',
    ]),
    (steps) => signalled(steps[2], { e3: 1 }),
    '2 no-spurious-interrupt: e3 was signalled 1 times where at most 0 had a reason',
  ],
  [
    'a refused range disarms what it touched, despite NORESIZE',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`, `${SET} 0+3 [e2 e3 e4]`]),
    (steps) => says(steps[1], { 0: ALLOCATED, 1: ALLOCATED }),
    '1 noresize-error-unchanged: the request failed and yet changed vectors 0, 1',
  ],
  [
    'a refused range signals, despite NORESIZE',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`, `${SET} 0+3 [e2 e3 e4]`]),
    (steps) => signalled(steps[1], { e2: 1 }),
    '1 noresize-error-unchanged: the request failed and yet signalled an eventfd',
  ],
  [
    'a vector is added, despite NORESIZE',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`, `${SET} 2+1 [e2]`]),
    (steps) => {
      const [, step] = steps;
      if (step !== undefined) step.outcome = { kind: 'ok' };
      says(step, { 2: LIVE });
    },
    '1 noresize-error-unchanged: NORESIZE is reported and yet vector 2 was added',
  ],
  [
    'an error outside any range changes a vector',
    scenario('linux-6.12', 'latches', [`${SET} 0+2 [e0 e1]`, 'vfio.setIrqs MSIX NONE|MASK 0+1 []']),
    (steps) => says(steps[1], { 0: ALLOCATED }),
    '1 error-state-documented: ENOTTY was returned and yet vector 0 changed',
  ],
  [
    'an error turns MSI-X off',
    scenario('linux-6.12', 'latches', [`${SET} 0+1 [e0]`, `${SET} 0+1 [bad]`]),
    (steps) => {
      says(steps[1], { 0: 0 }).enable = false;
    },
    '1 error-state-documented: EBADF was returned and yet MSI-X Enable went from true to false',
  ],
  [
    'an error changes the flags of the index',
    scenario('linux-6.12', 'latches', [`${SET} 0+1 [e0]`, `${SET} 0+1 [bad]`]),
    (steps) => {
      says(steps[1], {}).msixInfoFlags = 9;
    },
    '1 error-state-documented: EBADF was returned and yet the flags of the index went from 1 to 9',
  ],
  [
    'a failed range changes a vector outside it',
    scenario('linux-6.12', 'latches', [`${SET} 0+3 [e0 e1 e2]`, `${SET} 0+2 [e3 bad]`]),
    (steps) => says(steps[1], { 2: ALLOCATED }),
    '1 error-state-documented: EBADF was returned and yet vector 2 outside the range changed',
  ],
  [
    'a failed range leaves a vector armed that was not',
    scenario('linux-6.12', 'latches', [`${SET} 0+2 [-1 e1]`, `${SET} 0+2 [e3 bad]`]),
    (steps) => says(steps[1], { 0: LIVE }),
    '1 error-state-documented: EBADF was returned and yet vector 0 was armed',
  ],
  [
    'a failed range disarms what lies behind its bad descriptor',
    scenario('linux-6.12', 'latches', [`${SET} 0+3 [e0 e1 e2]`, `${SET} 0+3 [e3 bad e4]`]),
    (steps) => says(steps[1], { 2: ALLOCATED }),
    '1 error-state-documented: EBADF was returned and yet vector 2 changed, behind vector 1 with a bad descriptor',
  ],
  [
    'a failed range frees a vector',
    scenario('linux-6.12', 'latches', [`${SET} 0+2 [e0 e1]`, `${SET} 0+2 [e3 bad]`]),
    (steps) => says(steps[1], { 1: 0 }),
    '1 error-state-documented: EBADF was returned and yet vector 1 lost its Linux irq',
  ],
  [
    'a failed range makes a vector pending',
    scenario('linux-6.12', 'latches', [`${SET} 0+2 [e0 e1]`, `${SET} 0+2 [e3 bad]`]),
    (steps) => says(steps[1], { 1: ALLOCATED | PENDING }),
    '1 error-state-documented: EBADF was returned and yet vector 1 became pending',
  ],
  [
    'a failed range adds a vector, despite NORESIZE',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`, `${SET} 0+3 [e3 bad e5]`]),
    (steps) => says(steps[1], { 2: ALLOCATED }),
    '1 error-state-documented: EINVAL was returned and yet vector 2 was added despite NORESIZE',
  ],
  [
    'a failed range disarms a later vector and keeps an earlier one',
    scenario('linux-6.12', 'latches', [`${SET} 0+2 [e0 e1]`, `${SET} 0+2 [e3 bad]`]),
    (steps) => says(steps[1], { 0: LIVE }),
    '1 error-state-documented: EBADF was returned and yet vector 0 kept its trigger while 1 lost it',
  ],
  [
    'GET_IRQ_INFO reports another size',
    scenario('linux-6.1', 'latches', ['vfio.getIrqInfo MSIX']),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'irqInfo', flags: 9, count: 9 };
    },
    '0 irq-info-honest: MSI-X has 10 interrupts and 9 are reported',
  ],
  [
    'GET_IRQ_INFO denies eventfds',
    scenario('linux-6.1', 'latches', ['vfio.getIrqInfo MSIX']),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'irqInfo', flags: 8, count: 10 };
    },
    '0 irq-info-honest: MSI-X has flags 9 and 8 are reported',
  ],
  [
    'GET_IRQ_INFO says one thing and then another',
    scenario('linux-6.1', 'latches', ['vfio.getIrqInfo MSIX']),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'irqInfo', flags: 1, count: 10 };
    },
    '0 irq-info-honest: MSI-X has flags 9 and 1 are reported',
  ],
  [
    'NORESIZE is clear and nothing can be added',
    scenario('linux-6.12', 'latches', [`${SET} 0+1 [e0]`, `${SET} 1+1 [e1]`]),
    (steps) => {
      const [, step] = steps;
      if (step === undefined) return;
      step.outcome = { kind: 'errno', errno: 'EINVAL' };
      says(step, { 1: 0 });
    },
    '1 irq-info-honest: NORESIZE is clear and a vector could not be added',
  ],
  [
    'NORESIZE is set and the request succeeds',
    scenario('linux-6.1', 'latches', [`${SET} 0+1 [e0]`, `${SET} 1+1 [e1]`]),
    ([, step]) => {
      if (step !== undefined) step.outcome = { kind: 'ok' };
    },
    '1 irq-info-honest: NORESIZE is set and vectors were added',
  ],
  [
    'a range that wraps around is granted',
    scenario('linux-6.12', 'latches', [`${SET} 0+1 [e0]`, 'vfio.setIrqs MSIX NONE|TRIGGER 1+4294967295 []']),
    ([, step]) => {
      if (step !== undefined) step.outcome = { kind: 'ok' };
    },
    '1 irq-info-honest: MSI-X has 10 interrupts and a call about 1+4294967295 was granted',
  ],
  [
    'a call about an index that does not exist is granted',
    scenario('linux-6.12', 'latches', ['vfio.setIrqs 5 NONE|TRIGGER 0+0 []']),
    ([step]) => {
      if (step !== undefined) step.outcome = { kind: 'ok' };
    },
    '0 irq-info-honest: index 5 does not exist and a call about it was granted',
  ],
  [
    'Function Mask stays set',
    scenario('linux-6.1', 'latches', [`${SET} 0+1 [e0]`]),
    (steps) => {
      says(steps[0], {}).functionMask = true;
    },
    '0 layers-agree: Function Mask is set between operations',
  ],
  [
    'MSI-X is on without vectors',
    scenario('linux-6.1', 'latches', [`${SET} 0+1 [e0]`]),
    (steps) => says(steps[0], { 0: 0 }),
    '0 layers-agree: MSI-X is on and no vector is allocated',
  ],
  [
    'MSI-X is off with vectors',
    scenario('linux-6.1', 'latches', [`${SET} 0+1 [-1]`]),
    (steps) => {
      says(steps[0], {}).enable = false;
    },
    '0 layers-agree: MSI-X is off and 1 vectors are allocated',
  ],
  [
    'an armed vector owns no irq',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`]),
    (steps) => says(steps[0], { 0: ARMED | UNMASKED }),
    '0 layers-agree: vector 0 is armed and owns no Linux irq',
  ],
  [
    'an armed vector is masked',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`]),
    (steps) => says(steps[0], { 0: ALLOCATED | ARMED }),
    '0 layers-agree: vector 0 is armed and its entry is masked',
  ],
  [
    'a vector nobody armed is unmasked',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [-1 e1]`]),
    (steps) => says(steps[0], { 0: ALLOCATED | UNMASKED }),
    '0 layers-agree: vector 0 is not armed and its entry is unmasked',
  ],
  [
    'disabling keeps a vector',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`, DISABLE]),
    (steps) => says(steps[1], { 1: ALLOCATED }),
    '1 no-leak: 1 vectors are allocated and 0 armed after vfio.setIrqs',
  ],
  [
    'the last close keeps a vector',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`, 'vfio.close']),
    (steps) => says(steps[1], { 1: LIVE }),
    '1 no-leak: 1 vectors are allocated and 1 armed after vfio.close',
  ],
  [
    'another close takes a vector away',
    scenario('linux-6.1', 'latches', ['vfio.open', `${SET} 0+2 [e0 e1]`, 'vfio.close']),
    (steps) => says(steps[2], { 1: ALLOCATED }),
    '2 no-leak: vfio.close changed vectors although it was not the last close',
  ],
  [
    'a vector is freed while MSI-X stays on',
    scenario('linux-6.12', 'latches', [`${SET} 0+2 [e0 e1]`, `${SET} 1+1 [-1]`]),
    (steps) => says(steps[1], { 1: 0 }),
    '1 no-leak: vector 1 was freed while MSI-X stays on',
  ],
  [
    'a vector is added while MSI-X stays on, despite NORESIZE',
    scenario('linux-6.1', 'latches', [`${SET} 0+2 [e0 e1]`, 'vfio.getIrqInfo MSIX']),
    (steps) => says(steps[1], { 5: ALLOCATED }),
    '1 no-leak: vector 5 was added while MSI-X stays on, despite NORESIZE',
  ],
  [
    'a function that cannot be reset is',
    scenario('linux-6.1', 'latches', ['vfio.reset']),
    (steps) => {
      const [step] = steps;
      if (step !== undefined) step.outcome = { kind: 'ok' };
    },
    '0 reset-state: the function cannot be reset and the call succeeded',
  ],
  [
    'host vectors are used up that were given back',
    scenario('linux-6.12', 'latches', ['host.limitVectors 1', `${SET} 0+1 [e0]`, `${SET} 0+1 [-1]`, `${SET} 0+1 [e0]`]),
    (steps) => {
      const [, , , step] = steps;
      if (step === undefined) return;
      step.outcome = { kind: 'errno', errno: 'ENOSPC' };
      says(step, { 0: ALLOCATED });
    },
    '3 no-leak: 1 vectors were asked for, 1 were free, and none was left',
  ],
];

describe('an invariant', () => {
  it.each(BROKEN)('notices that %s', (_what, at, edit, message) => {
    expect(judged(at)).toEqual([]);
    expect(judged(at, edit)).toContain(message);
  });

  it('has a case here that breaks it', () => {
    const promised = INVARIANTS.filter(({ start }) => start !== undefined);
    const broken = new Set(BROKEN.map(([, , , message]) => message.split(' ')[1]?.replace(':', '')));
    expect([...broken].sort()).toEqual(promised.map(({ id }) => id).sort());
  });

  it('is known by its id', () => {
    expect(isInvariantId('no-leak' satisfies InvariantId)).toBe(true);
    expect(isInvariantId('no-luck')).toBe(false);
  });

  it('judges a run that ended early by what it showed', () => {
    const at = scenario('linux-6.1', 'latches', [`${SET} 0+1 [e0]`, 'device.raise 0']);
    const trace = structuredClone(specify(at)) as Mutable<Trace>;
    trace.steps[1] = { outcome: { kind: 'unknown', reason: 'crash' }, events: [], observation: [], clauses: [] };
    expect(violations(INVARIANTS, at.config, at.operations, trace as Trace)).toEqual([]);
  });

  it('is asked about no run that answers more than was asked, whether any is asked about or none', () => {
    const at = scenario('linux-6.1', 'latches', [`${SET} 0+1 [e0]`, 'device.raise 0']);
    for (const invariants of [INVARIANTS, []])
      expect(() => violations(invariants, at.config, at.operations.slice(1), specify(at))).toThrow(
        'step 1 answers no operation',
      );
  });
});

describe('a lost interrupt', () => {
  const growth = [`${SET} 0+1 [e0]`, DISABLE, 'device.raise 0', `${SET} 0+2 [e0 e1]`];

  it('is an event in the teardown-gap of a dropping device, told with the steps that made it', () => {
    const at = scenario('linux-6.1', 'drops', growth);
    expect(violations(INVARIANTS, at.config, at.operations, specify(at))).toEqual([
      {
        invariant: 'no-lost-interrupt',
        step: 3,
        causes: [1, 2, 3],
        message:
          'vector 0 raised in the teardown-gap, after operation 1 had turned its interrupts off; ' +
          'it is armed again and the event never came',
      },
    ]);
  });

  it.each([
    ['the device latches', scenario('linux-6.1', 'latches', growth)],
    [
      'the user closes the device in between',
      scenario('linux-6.1', 'drops', [...growth.slice(0, 3), 'vfio.close', 'vfio.open', `${SET} 0+1 [e0]`]),
    ],
    [
      'the user gave the vector up',
      scenario('linux-6.1', 'drops', [`${SET} 0+2 [e0 e1]`, `${SET} 0+1 [-1]`, ...growth.slice(1)]),
    ],
    ['the vector was never in use', scenario('linux-6.1', 'drops', [`${SET} 1+1 [e0]`, ...growth.slice(1)])],
    [
      'it is given up while MSI-X is off',
      scenario('linux-6.1', 'drops', [...growth.slice(0, 3), `${SET} 0+2 [-1 e1]`, `${SET} 0+1 [e0]`]),
    ],
  ])('is none when %s', (_when, at) => {
    expect(judged(at)).toEqual([]);
  });
});
