import { describe, expect, it } from 'vitest';
import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  INTX_HANDLER,
  type Outcome,
  type PciFunction,
  parseOperation,
  type Scenario,
  UNMASKED,
} from '#vocabulary';
import { hostTraits } from '../../model/profiles.ts';
import { type Edit, judged, says, scenarioOn } from './tampered.fixture.ts';

const PLAIN: PciFunction = { msixVectors: 4, whileOff: 'latches', intx: true };
const RESETTABLE: PciFunction = { ...PLAIN, reset: true };
const WITH_MSI: PciFunction = { msixVectors: 0, whileOff: 'latches', msiVectors: 4 };
const ASLEEP: PciFunction = { ...PLAIN, powerManagement: true };

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const SET_INTX = 'vfio.setIrqs INTX EVENTFD|TRIGGER 0+1 [e0]';
const DISABLE = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';
const LIVE = ALLOCATED | ARMED | UNMASKED;
const ENOSPC: Outcome = { kind: 'errno', errno: 'ENOSPC' };

type Row = readonly [what: string, scenario: Scenario, edit: Edit, told: string];

const on = (device: PciFunction, ...lines: readonly string[]): Scenario => scenarioOn('linux-6.12', device, lines);

/** What the last step returned, and what it says of the function: MSI-X on or off, registers, vectors. */
function ends(
  outcome: Outcome | null,
  enable: boolean,
  registers: number,
  states: Readonly<Record<number, number>>,
): Edit {
  return (steps) => {
    const step = steps.at(-1);
    if (step !== undefined && outcome !== null) step.outcome = outcome;
    Object.assign(says(step, states), { enable, registers });
  };
}

const turnedOn = (outcome: Outcome | null): Edit => ends(outcome, true, 0, { 0: LIVE });
const turnedOff = (outcome: Outcome | null): Edit => ends(outcome, false, 0, { 0: 0 });
const states = (now: Readonly<Record<number, number>>): Edit => {
  return (steps) => says(steps.at(-1), now);
};
const fails = (outcome: Outcome, now: Readonly<Record<number, number>>): Edit => {
  return (steps) => {
    const step = steps.at(-1);
    if (step !== undefined) step.outcome = outcome;
    says(step, now);
  };
};

const OK: Outcome = { kind: 'ok' };
const IS_ON = 'no-leak: nothing was set up and MSI-X is, and nobody asked for it';
const IS_OFF = 'no-leak: MSI-X was set up and nothing is, and nobody asked for it';

const SET_UP: readonly Row[] = [
  ['a refused call turns MSI-X on', on(PLAIN, `${SET} 0+1 [bad]`), turnedOn(null), `0 ${IS_ON}`],
  ['a question turns MSI-X on', on(PLAIN, 'vfio.getIrqInfo MSIX'), turnedOn(null), `0 ${IS_ON}`],
  ['a loopback turns MSI-X on', on(PLAIN, 'vfio.setIrqs MSIX BOOL|TRIGGER 0+1 [1]'), turnedOn(OK), `0 ${IS_ON}`],
  ['a call about INTx turns MSI-X on', on(PLAIN, SET_INTX), turnedOn(OK), `0 ${IS_ON}`],
  [
    'a call turns MSI-X of another function on',
    {
      config: { host: hostTraits('linux-6.12'), devices: [PLAIN, PLAIN] },
      operations: [parseOperation(`${SET} 0+1 [e0] @1`)],
    },
    ([step]) => {
      says(step, { 0: LIVE }).enable = true;
    },
    `0 ${IS_ON}`,
  ],
  [
    'INTx becomes MSI-X without a disable',
    on(PLAIN, SET_INTX, `${SET} 0+1 [e0]`),
    turnedOn(OK),
    '1 no-leak: INTx was set up and MSI-X is, and nobody asked for it',
  ],
  [
    'a trigger that is set turns MSI-X off',
    on(PLAIN, `${SET} 0+1 [e0]`, `${SET} 0+1 [e5]`),
    turnedOff(null),
    `1 ${IS_OFF}`,
  ],
  [
    'disabling INTx turns MSI-X off',
    on(PLAIN, `${SET} 0+1 [e0]`, 'vfio.setIrqs INTX NONE|TRIGGER 0+0 []'),
    turnedOff(OK),
    `1 ${IS_OFF}`,
  ],
  [
    'disabling MSI-X leaves INTx set up',
    on(PLAIN, `${SET} 0+1 [e0]`, DISABLE),
    ends(null, false, INTX_HANDLER, { 0: 0 }),
    '1 no-leak: MSI-X was set up and INTx is, and nobody asked for it',
  ],
  [
    'disabling leaves a trigger without an irq',
    on(PLAIN, `${SET} 0+1 [e0]`, DISABLE),
    states({ 0: ARMED | UNMASKED }),
    '1 no-leak: 0 vectors are allocated and 1 armed after vfio.setIrqs',
  ],
];

const TRIGGERS: readonly Row[] = [
  [
    'a call takes the trigger before its range',
    on(PLAIN, `${SET} 0+3 [e0 e1 e2]`, `${SET} 1+1 [e5]`),
    states({ 0: ALLOCATED }),
    '1 no-leak: vector 0 lost its trigger, and nobody asked for it',
  ],
  [
    'a call takes the trigger behind its range',
    on(PLAIN, `${SET} 0+3 [e0 e1 e2]`, `${SET} 1+1 [e5]`),
    states({ 2: ALLOCATED }),
    '1 no-leak: vector 2 lost its trigger, and nobody asked for it',
  ],
  [
    'a vector gains a trigger by itself',
    on(PLAIN, `${SET} 0+2 [-1 e1]`, 'vfio.getIrqInfo MSIX'),
    states({ 0: LIVE }),
    '1 no-leak: vector 0 gained its trigger, and nobody asked for it',
  ],
  [
    'a trigger comes without the message',
    on(PLAIN, `${SET} 0+1 [e0]`),
    states({ 0: LIVE | ADDRESS_0 }),
    '0 no-leak: vector 0 was given a trigger and no message',
  ],
];

const OPENS: readonly Row[] = [
  [
    'an open that is not the first drops what is pending',
    on(RESETTABLE, 'device.raise 0', 'vfio.open'),
    states({ 0: 0 }),
    '1 no-leak: vfio.open changed vectors although it was not the last close',
  ],
  [
    'the first open of a function without a reset drops what is pending',
    on(PLAIN, 'vfio.close', 'device.raise 0', 'vfio.open'),
    states({ 0: 0 }),
    '2 no-leak: vfio.open changed vectors although it was not the last close',
  ],
  [
    'a mapping that is refused drops what is pending',
    on(RESETTABLE, 'vfio.close', 'device.raise 0', 'vfio.mapBar'),
    states({ 0: 0 }),
    '2 no-leak: vfio.mapBar changed vectors although it was not the last close',
  ],
];

const SHORT: readonly Row[] = [
  [
    'MSI-X could be set up in part where nothing was short',
    on(PLAIN, `${SET} 0+2 [e0 e1]`),
    ends({ kind: 'positive', value: 1 }, false, 0, { 0: 0, 1: 0 }),
    '0 no-leak: 1 vectors could be had, and nothing was short',
  ],
  [
    'a trigger of MSI that is on wants a vector of the host',
    on(
      WITH_MSI,
      'vfio.setIrqs MSI EVENTFD|TRIGGER 0+1 [e0]',
      'host.limitVectors 0',
      'vfio.setIrqs MSI EVENTFD|TRIGGER 0+1 [e1]',
    ),
    fails(ENOSPC, { 0: ALLOCATED }),
    '2 no-leak: 0 vectors were asked for, 0 were free, and none was left',
  ],
  [
    'a vector without a trigger wants a vector of the host',
    on(PLAIN, 'host.limitVectors 1', `${SET} 0+2 [e0 -1]`),
    ends(ENOSPC, false, 0, { 0: 0, 1: 0 }),
    '1 no-leak: 1 vectors were asked for, 1 were free, and none was left',
  ],
  [
    'data behind the range want vectors of the host',
    on(PLAIN, 'host.limitVectors 1', `${SET} 0+1 [e0 e1]`),
    ends(ENOSPC, false, 0, { 0: 0 }),
    '1 no-leak: 1 vectors were asked for, 1 were free, and none was left',
  ],
];

describe('what is set up, and what is given back', () => {
  it.each([...SET_UP, ...TRIGGERS, ...OPENS, ...SHORT])('is noticed to be wrong: %s', (_what, at, edit, told) => {
    expect(judged(at)).toEqual([]);
    expect(judged(at, edit)).toContain(told);
  });

  it.each([
    ['the first open resets a function that can be', on(RESETTABLE, 'vfio.close', 'device.raise 0', 'vfio.open')],
    [
      'in D3hot a trigger comes without the message',
      on(ASLEEP, `${SET} 0+2 [e0 e1]`, `${SET} 0+1 [-1]`, 'vfio.configWrite power 3', `${SET} 0+1 [e5]`),
    ],
  ])('is as it should be: %s', (_what, at) => {
    expect(judged(at)).toEqual([]);
  });
});
