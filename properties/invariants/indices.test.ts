import { describe, expect, it } from 'vitest';
import {
  ALLOCATED,
  ARMED,
  INTX_DISABLE,
  INTX_HANDLER,
  INTX_STATUS,
  MSI_ENABLE,
  MSI_MESSAGE,
  type PciFunction,
  PENDING,
  type Scenario,
  type Step,
  UNMASKED,
} from '#vocabulary';
import { type Edit, judged, type Mutable, says, scenarioOn, signalled } from './tampered.fixture.ts';

const EDU: PciFunction = { msixVectors: 0, whileOff: 'latches', msiVectors: 1, intx: true };
const MULTI_MSI: PciFunction = { msixVectors: 0, whileOff: 'latches', msiVectors: 4 };
const RESETTABLE: PciFunction = { msixVectors: 4, whileOff: 'latches', intx: true, express: true, reset: true };

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const SET_MSI = 'vfio.setIrqs MSI EVENTFD|TRIGGER';
const SET_ERR = 'vfio.setIrqs ERR EVENTFD|TRIGGER';
const SET_INTX = 'vfio.setIrqs INTX EVENTFD|TRIGGER 0+1';
const UNMASK = 'vfio.setIrqs INTX NONE|UNMASK 0+1 []';

/** Sets what one step says of the registers beside MSI-X. */
function reads(step: Mutable<Step> | undefined, registers: number): void {
  says(step, {}).registers = registers;
}

/** A scenario over the other indices, what is done to its run, and what an invariant says. */
const BROKEN: readonly (readonly [string, Scenario, Edit, string])[] = [
  [
    'an asserted pin is not signalled',
    scenarioOn('linux-6.1', EDU, [`${SET_INTX} [e0]`, 'device.assertIntx']),
    (steps) => signalled(steps[1], {}),
    '1 no-lost-interrupt: e0 was signalled 0 times where 1 were owed',
  ],
  [
    'INTx that is set up on an asserted pin is not signalled',
    scenarioOn('linux-6.1', EDU, ['device.assertIntx', `${SET_INTX} [e0]`]),
    (steps) => signalled(steps[1], {}),
    '1 no-lost-interrupt: e0 was signalled 0 times where 1 were owed',
  ],
  [
    'unmasking an asserted pin does not signal again',
    scenarioOn('linux-6.1', EDU, [`${SET_INTX} [e0]`, 'device.assertIntx', UNMASK]),
    (steps) => signalled(steps[2], {}),
    '2 no-lost-interrupt: e0 was signalled 0 times where 1 were owed',
  ],
  [
    'a write to the unmask eventfd does not signal again',
    scenarioOn('linux-6.1', EDU, [
      `${SET_INTX} [e0]`,
      'vfio.setIrqs INTX EVENTFD|UNMASK 0+1 [e1]',
      'device.assertIntx',
      'vfio.writeEventfd e1',
    ]),
    (steps) => signalled(steps[3], {}),
    '3 no-lost-interrupt: e0 was signalled 0 times where 1 were owed',
  ],
  [
    'INTx is signalled while the user has it disabled',
    scenarioOn('linux-6.1', EDU, [`${SET_INTX} [e0]`, 'vfio.configWrite intxDisable 1', 'device.assertIntx']),
    (steps) => signalled(steps[2], { e0: 1 }),
    '2 no-spurious-interrupt: e0 was signalled 1 times where at most 0 had a reason',
  ],
  [
    'a write that nobody waits for is not read back',
    scenarioOn('linux-6.1', EDU, ['vfio.writeEventfd e1']),
    (steps) => signalled(steps[0], {}),
    '0 no-lost-interrupt: e1 was signalled 0 times where 1 were owed',
  ],
  [
    'an asserted pin is not masked',
    scenarioOn('linux-6.1', EDU, [`${SET_INTX} [e0]`, 'device.assertIntx']),
    (steps) => reads(steps[1], INTX_HANDLER | INTX_STATUS),
    '1 layers-agree: INTx is asserted and not masked',
  ],
  [
    'MSI is on and nothing is set up',
    scenarioOn('linux-6.1', EDU, ['vfio.getIrqInfo MSI']),
    (steps) => reads(steps[0], MSI_ENABLE | MSI_MESSAGE),
    '0 layers-agree: MSI is on and none is set up',
  ],
  [
    'INTx keeps its handler beside MSI',
    scenarioOn('linux-6.1', EDU, [`${SET_MSI} 0+1 [e0]`]),
    (steps) => reads(steps[0], MSI_ENABLE | MSI_MESSAGE | INTX_HANDLER),
    '0 layers-agree: INTx has its handler and 1 vectors are allocated',
  ],
  [
    'INTx keeps its handler when it is disabled',
    scenarioOn('linux-6.1', EDU, [`${SET_INTX} [e0]`, 'vfio.setIrqs INTX NONE|TRIGGER 0+0 []']),
    (steps) => reads(steps[1], INTX_HANDLER),
    '1 no-leak: INTx is set up after vfio.setIrqs',
  ],
  [
    'an error of INTx masks it',
    scenarioOn('linux-6.1', EDU, [`${SET_INTX} [e0]`, `${SET_INTX} [bad]`]),
    (steps) => reads(steps[1], INTX_HANDLER | INTX_DISABLE),
    '1 error-state-documented: EBADF was returned and yet the registers went from INTx-handler to ' +
      'INTx-disable INTx-handler',
  ],
  [
    'a positive return leaves MSI on',
    {
      ...scenarioOn('linux-6.1', MULTI_MSI, [`${SET_MSI} 0+4 [e0 e0 e0 e0]`]),
      config: {
        ...scenarioOn('linux-6.1', MULTI_MSI, []).config,
        interruptRemapping: false,
      },
    },
    (steps) => says(steps[0], { 0: ALLOCATED }),
    '0 error-state-documented: 1 was returned and yet vector 0 was added despite NORESIZE',
  ],
  [
    'GET_IRQ_INFO reports an ERR index that is not there',
    scenarioOn('linux-6.1', RESETTABLE, ['vfio.getIrqInfo ERR']),
    (steps) => {
      const [step] = steps;
      if (step !== undefined) step.outcome = { kind: 'irqInfo', flags: 9, count: 0 };
    },
    '0 irq-info-honest: ERR has 1 interrupts and 0 are reported',
  ],
  [
    'an MSI vector is lost although it is armed',
    scenarioOn('linux-6.1', MULTI_MSI, [`${SET_MSI} 0+2 [e0 e1]`, 'device.raise 1']),
    (steps) => signalled(steps[1], {}),
    '1 no-lost-interrupt: e1 was signalled 0 times where 1 were owed',
  ],
  [
    'a message that came before the first handler is not delivered',
    scenarioOn('linux-6.1', EDU, [`${SET_MSI} 0+1 [-1]`, 'device.raise 0', `${SET_MSI} 0+1 [e0]`]),
    (steps) => signalled(steps[2], {}),
    '2 no-lost-interrupt: e0 was signalled 0 times where 1 were owed',
  ],
  [
    'MSI uses host vectors up that were given back',
    scenarioOn('linux-6.1', EDU, [
      'host.limitVectors 1',
      `${SET_MSI} 0+1 [e0]`,
      'vfio.setIrqs MSI NONE|TRIGGER 0+0 []',
      `${SET_MSI} 0+1 [-1]`,
    ]),
    (steps) => {
      const step = steps[3];
      if (step === undefined) return;
      step.outcome = { kind: 'errno', errno: 'ENOSPC' };
      says(step, { 0: 0 }).registers = 0;
    },
    '3 no-leak: 1 vectors were asked for, 1 were free, and none was left',
  ],
  [
    'a close under a mapping disables',
    scenarioOn('linux-6.1', EDU, [`${SET_MSI} 0+1 [e0]`, 'vfio.mapBar', 'vfio.close']),
    (steps) => says(steps[2], { 0: 0 }),
    '2 no-leak: vfio.close changed vectors although it was not the last close',
  ],
  [
    'the end of the mapping keeps a vector',
    scenarioOn('linux-6.1', EDU, [`${SET_MSI} 0+1 [e0]`, 'vfio.mapBar', 'vfio.close', 'vfio.unmapBar']),
    (steps) => says(steps[3], { 0: ALLOCATED }),
    '3 no-leak: 1 vectors are allocated and 0 armed after vfio.unmapBar',
  ],
  [
    'a function that can be reset is not',
    scenarioOn('linux-6.1', RESETTABLE, ['vfio.reset']),
    (steps) => {
      const [step] = steps;
      if (step !== undefined) step.outcome = { kind: 'errno', errno: 'EINVAL' };
    },
    '0 reset-state: the function can be reset and was not',
  ],
  [
    'a function that cannot be reset is',
    scenarioOn('linux-6.1', EDU, ['vfio.reset']),
    (steps) => {
      const [step] = steps;
      if (step !== undefined) step.outcome = { kind: 'ok' };
    },
    '0 reset-state: the function cannot be reset and the call succeeded',
  ],
  [
    'a reset takes a trigger',
    scenarioOn('linux-6.1', RESETTABLE, [`${SET} 0+2 [e0 e1]`, 'vfio.reset']),
    (steps) => says(steps[1], { 1: ALLOCATED }),
    '1 reset-state: vector 1 changed hands in the reset',
  ],
  [
    'a reset keeps what was pending',
    scenarioOn('linux-6.1', RESETTABLE, [`${SET} 0+1 [-1]`, 'device.raise 1', 'vfio.reset']),
    (steps) => says(steps[2], { 1: PENDING, 0: ALLOCATED | PENDING }),
    '2 reset-state: vector 0 is pending after the reset',
  ],
  [
    'a reset keeps a bit that was pending all along',
    scenarioOn('linux-6.1', RESETTABLE, [`${SET} 0+2 [e0 -1]`, 'device.raise 1', 'vfio.reset']),
    (steps) => {
      const [, , step] = steps;
      if (step !== undefined) for (const device of step.observation) device.changes = [];
    },
    '2 reset-state: vector 1 is pending after the reset',
  ],
  [
    'MSI-X turns itself off',
    scenarioOn('linux-6.1', RESETTABLE, [`${SET} 0+1 [e0]`, 'vfio.getIrqInfo MSIX']),
    (steps) => {
      says(steps[1], { 0: 0 }).enable = false;
    },
    '1 no-leak: MSI-X was set up and nothing is, and nobody asked for it',
  ],
  [
    'a vector loses its trigger by itself',
    scenarioOn('linux-6.1', RESETTABLE, [`${SET} 0+1 [e0]`, 'vfio.getIrqInfo MSIX']),
    (steps) => says(steps[1], { 0: ALLOCATED }),
    '1 no-leak: vector 0 lost its trigger, and nobody asked for it',
  ],
  [
    'a granted call arms nothing',
    scenarioOn('linux-6.1', RESETTABLE, [`${SET} 0+1 [e0]`]),
    (steps) => says(steps[0], { 0: ALLOCATED }),
    '0 no-leak: vector 0 was given a trigger and is allocated',
  ],
  [
    'a granted call keeps the trigger that it takes',
    scenarioOn('linux-6.1', RESETTABLE, [`${SET} 0+1 [e0]`, `${SET} 0+1 [-1]`]),
    (steps) => says(steps[1], { 0: ALLOCATED | ARMED | UNMASKED }),
    '1 no-leak: vector 0 keeps the trigger that was taken from it',
  ],
  [
    'a trigger set again does not heal a wiped entry',
    scenarioOn('linux-6.1', RESETTABLE, [`${SET} 0+1 [e0]`, 'device.wipe', `${SET} 0+1 [e0]`]),
    (steps) => {
      const [, , step] = steps;
      if (step !== undefined) for (const device of step.observation) device.changes = [];
    },
    '2 no-leak: vector 0 was given a trigger and is allocated armed',
  ],
  [
    'MSI that was set up is off',
    scenarioOn('linux-6.1', EDU, [`${SET_MSI} 0+1 [e0]`]),
    (steps) => reads(steps[0], MSI_MESSAGE),
    '0 layers-agree: MSI is set up and the function has it turned off',
  ],
  [
    'a reset leaves MSI without its message',
    scenarioOn('linux-6.1', { ...EDU, reset: true }, [`${SET_MSI} 0+1 [e0]`, 'vfio.reset']),
    (steps) => reads(steps[1], MSI_ENABLE | INTX_DISABLE),
    '1 reset-state: MSI is set up and reads MSI-enable INTx-disable after the reset',
  ],
  [
    'INTx finds no host vector where there is no limit',
    scenarioOn('linux-6.1', EDU, [`${SET_INTX} [e0]`]),
    (steps) => {
      const [step] = steps;
      if (step !== undefined) step.outcome = { kind: 'errno', errno: 'ENOSPC' };
      reads(step, 0);
    },
    '0 no-leak: 1 vectors were asked for, Infinity were free, and none was left',
  ],
  [
    'MSI is reported without NORESIZE',
    scenarioOn('linux-6.1', EDU, ['vfio.getIrqInfo MSI']),
    (steps) => {
      const [step] = steps;
      if (step !== undefined) step.outcome = { kind: 'irqInfo', flags: 1, count: 1 };
    },
    '0 irq-info-honest: MSI has flags 9 and 1 are reported',
  ],
  [
    'an index that is there is denied',
    scenarioOn('linux-6.1', EDU, ['vfio.getIrqInfo INTX']),
    (steps) => {
      const [step] = steps;
      if (step !== undefined) step.outcome = { kind: 'errno', errno: 'EINVAL' };
    },
    '0 irq-info-honest: INTx exists and is EINVAL',
  ],
  [
    'an error under NORESIZE takes the MSI message',
    scenarioOn('linux-6.1', MULTI_MSI, [`${SET_MSI} 0+1 [e0]`, `${SET_MSI} 0+2 [e0 e0]`]),
    (steps) => reads(steps[1], MSI_ENABLE),
    '1 noresize-error-unchanged: the request failed and yet the registers went from MSI-enable MSI-message to ' +
      'MSI-enable',
  ],
  [
    'a reset turns MSI-X off',
    scenarioOn('linux-6.1', RESETTABLE, [`${SET} 0+1 [e0]`, 'vfio.reset']),
    (steps) => {
      says(steps[1], { 0: 0 }).enable = false;
    },
    '1 reset-state: msix was set up before the reset and none after it',
  ],
];

describe('an invariant over every index', () => {
  it.each(BROKEN)('notices that %s', (_what, at, edit, message) => {
    expect(judged(at)).toEqual([]);
    expect(judged(at, edit)).toContain(message);
  });
});

describe('a message that was left in D3hot', () => {
  it('may go with the next attempt to set MSI up', () => {
    const device = { ...MULTI_MSI, powerManagement: true as const };
    const lines = [`${SET_MSI} 0+1 [e0]`, 'vfio.configWrite power 3', 'vfio.setIrqs MSI NONE|TRIGGER 0+0 []'];
    const awake = ['vfio.configWrite power 0', `${SET_MSI} 1+1 [bad]`];
    expect(judged(scenarioOn('linux-6.12', device, [...lines, ...awake]))).toEqual([]);
  });
});

describe('data behind the range of a call', () => {
  const granted: Edit = ([, step]) => {
    if (step !== undefined) step.outcome = { kind: 'ok' };
  };

  it('gives no vector its entry back', () => {
    const lines = [`${SET} 0+2 [e0 e1]`, 'device.wipe', `${SET} 0+1 [e0 e1]`, 'device.raise 1'];
    expect(judged(scenarioOn('linux-6.12', RESETTABLE, lines))).toEqual([]);
  });

  it('adds no vector', () => {
    const lines = [`${SET_MSI} 0+1 [e0]`, `${SET_MSI} 1+1 [-1 e1]`];
    expect(judged(scenarioOn('linux-6.12', MULTI_MSI, lines))).toEqual([]);
  });

  it('excuses no vector that is added despite NORESIZE', () => {
    const at = scenarioOn('linux-6.12', MULTI_MSI, [`${SET_MSI} 0+1 [e0]`, `${SET_MSI} 1+1 [e1 -1]`]);
    expect(judged(at)).toEqual([]);
    expect(judged(at, granted)).toContain('1 irq-info-honest: NORESIZE is set and vectors were added');
  });

  it('excuses no pending bit that goes away', () => {
    const lines = [`${SET} 0+1 [e0]`, 'device.raise 1', `${SET} 0+1 [e0 e1]`];
    const at = scenarioOn('linux-6.12', RESETTABLE, lines);
    expect(judged(at)).toEqual([]);
    const messages = judged(at, (steps) => says(steps[2], { 1: 0 }));
    expect(messages).toContainEqual(expect.stringMatching(/^2 no-lost-interrupt: /));
  });

  it('is no trigger of ERR', () => {
    const lines = [`${SET_ERR} 0+1 [e0]`, `${SET_ERR} 0+0 [e1]`, 'vfio.setIrqs ERR NONE|TRIGGER 0+1 []'];
    const at = scenarioOn('linux-6.12', RESETTABLE, lines);
    expect(judged(at, granted)).toEqual([]);
  });

  it('excuses no message that is lost', () => {
    const lines = [`${SET_MSI} 0+2 [e0 -1]`, 'device.raise 1', `${SET_MSI} 0+1 [bad e1]`, `${SET_MSI} 1+1 [e1]`];
    const at = scenarioOn('linux-6.12', MULTI_MSI, lines);
    expect(judged(at)).toEqual([]);
    const message = '3 no-lost-interrupt: e1 was signalled 0 times where 1 were owed';
    expect(judged(at, (steps) => signalled(steps[3], {}))).toContain(message);
  });
});

describe('what the user has chosen not to hear', () => {
  it.each([
    ['bus mastering is off', RESETTABLE, [`${SET} 0+1 [e0]`, 'vfio.configWrite busMaster 0', 'device.raise 0']],
    ['MSI is turned off by hand', EDU, [`${SET_MSI} 0+1 [e0]`, 'vfio.configWrite msiEnable 0', 'device.raise 0']],
    [
      'the function is in D3hot',
      { ...RESETTABLE, powerManagement: true as const },
      [`${SET} 0+1 [e0]`, 'vfio.configWrite power 3', 'device.raise 0'],
    ],
    ['the function is reset', RESETTABLE, [`${SET} 0+1 [-1]`, 'device.raise 0', 'vfio.reset', `${SET} 0+1 [e0]`]],
    ['its table is wiped', RESETTABLE, [`${SET} 0+1 [e0]`, 'device.wipe', 'device.raise 0', `${SET} 0+1 [e1]`]],
  ] as const)('is not lost: %s', (_when, device, lines) => {
    expect(judged(scenarioOn('linux-6.12', device, lines))).toEqual([]);
  });
});
