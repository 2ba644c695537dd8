import { describe, expect, it } from 'vitest';
import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  MSI_ENABLE,
  type PciFunction,
  parseOperation,
  type Scenario,
  UNMASKED,
} from '#vocabulary';
import { hostTraits } from '../../model/profiles.ts';
import { type Edit, judged, says, scenarioOn, signalled } from './tampered.fixture.ts';

const LATCHING: PciFunction = { msixVectors: 4, whileOff: 'latches' };
const DROPPING: PciFunction = { msixVectors: 4, whileOff: 'drops' };
const RESETTABLE: PciFunction = { ...LATCHING, reset: true };
const WITH_MSI: PciFunction = { msixVectors: 0, whileOff: 'drops', msiVectors: 4 };

const WITH_BOTH: PciFunction = { msixVectors: 1, whileOff: 'drops', msiVectors: 4 };

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const SET_MSI = 'vfio.setIrqs MSI EVENTFD|TRIGGER';
const DISABLE = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';

const on = (device: PciFunction, ...lines: readonly string[]): Scenario => scenarioOn('linux-6.1', device, lines);

function onTwo(device: PciFunction, ...lines: readonly string[]): Scenario {
  return {
    config: { host: hostTraits('linux-6.1'), devices: [device, device] },
    operations: lines.map(parseOperation),
  };
}

const forgets: Edit = (steps) => says(steps.at(-1), { 0: 0 });
const WENT = 'no-lost-interrupt: the pending bit of vector 0 went away and nothing was delivered';

describe('a pending bit that goes away', () => {
  it.each<readonly [string, Scenario, string]>([
    ['by a question', on(RESETTABLE, 'device.raise 0', 'vfio.getIrqInfo MSIX'), `1 ${WENT}`],
    ['by the reset of a function that has none', on(LATCHING, 'device.raise 0', 'vfio.reset'), `1 ${WENT}`],
    ['by the reset of another function', onTwo(RESETTABLE, 'device.raise 0', 'vfio.reset @1'), `1 ${WENT}`],
    ['by a trigger of another function', onTwo(LATCHING, 'device.raise 0', `${SET} 0+1 [e0] @1`), `1 ${WENT}`],
  ])('%s is noticed', (_how, at, told) => {
    expect(judged(at)).toEqual([]);
    expect(judged(at, forgets)).toContain(told);
  });

  it('by the last close of a function that can be reset is as it should be', () => {
    expect(judged(on(RESETTABLE, 'device.raise 0', 'vfio.close', 'vfio.open'))).toEqual([]);
  });
});

it('a refused range that goes on beyond 32 bits says nothing of the vectors with which they begin again', () => {
  const lines = [`${SET_MSI} 0+2 [-1 e1]`, 'device.raise 0', `${SET_MSI} 4294967295+2 [e0 e1]`, `${SET_MSI} 0+1 [e0]`];
  const at = on(WITH_MSI, ...lines);
  expect(judged(at)).toEqual([]);
  expect(judged(at, (steps) => signalled(steps[3], {}))).toContain(
    '3 no-lost-interrupt: e0 was signalled 0 times where 1 were owed',
  );
});

describe('an event of a vector with a trigger', () => {
  it.each<readonly [string, Scenario, Edit]>([
    [
      'MSI',
      on(WITH_MSI, 'vfio.getIrqInfo MSI', `${SET_MSI} 0+1 [e0]`, 'device.raise 0'),
      (steps) => {
        signalled(steps[2], {});
        says(steps[2], {}).registers = MSI_ENABLE;
      },
    ],
    [
      'MSI-X',
      on({ ...LATCHING, msiVectors: 4 }, `${SET} 0+1 [e0]`, 'vfio.configWrite msiEnable 0', 'device.raise 0'),
      (steps) => {
        signalled(steps[2], {});
        says(steps[2], { 0: ALLOCATED | ARMED | UNMASKED | ADDRESS_0 });
      },
    ],
  ])('of %s is lost where its message has no address', (_type, at, edit) => {
    expect(judged(at, edit)).toContain('2 no-lost-interrupt: vector 0 raised while it is armed, and it got lost');
  });
});

describe('an event while the interrupts of a user are turned off', () => {
  const LOST = /no-lost-interrupt: vector \d raised in the teardown-gap/;

  it.each([
    ['its trigger was set again before', on(DROPPING, `${SET} 0+1 [e0]`, `${SET} 0+1 [e5]`, DISABLE)],
    [
      'a call that would have taken its trigger was refused',
      on(DROPPING, `${SET} 0+1 [e0]`, DISABLE, `${SET} 0+9 [-1]`),
    ],
    [
      'the trigger of another function was taken',
      onTwo(DROPPING, `${SET} 0+1 [e0]`, `${SET} 0+1 [e1] @1`, DISABLE, `${SET} 0+1 [-1] @1`),
    ],
  ])('is lost although %s', (_what, { config, operations }) => {
    const gap = ['device.raise 0', `${SET} 0+1 [e0]`].map(parseOperation);
    expect(judged({ config, operations: [...operations, ...gap] })).toContainEqual(expect.stringMatching(LOST));
  });

  it.each([
    ['the trigger before it was set again', on(DROPPING, `${SET} 0+2 [e0 e1]`, `${SET} 0+1 [e5]`, DISABLE), SET],
    ['it is told by MSI', on(WITH_MSI, `${SET_MSI} 0+2 [e0 e1]`, 'vfio.setIrqs MSI NONE|TRIGGER 0+0 []'), SET_MSI],
  ])('is lost although %s (the second vector)', (_what, { config, operations }, set) => {
    const gap = ['device.raise 1', `${set} 0+2 [e0 e1]`].map(parseOperation);
    expect(judged({ config, operations: [...operations, ...gap] })).toContainEqual(expect.stringMatching(LOST));
  });

  it('is not where its trigger was taken afterwards, by a call about more', () => {
    const gap = [`${SET} 0+2 [e0 e1]`, DISABLE, 'device.raise 1'];
    expect(judged(on(DROPPING, ...gap, `${SET} 0+2 [e0 -1]`, `${SET} 0+2 [e0 e1]`))).toEqual([]);
  });

  it('is not where its trigger was taken by a call about more', () => {
    const taken = [`${SET} 0+2 [e0 e1]`, `${SET} 0+2 [e5 -1]`, DISABLE, 'device.raise 1', `${SET} 0+2 [e0 e1]`];
    expect(judged(on(DROPPING, ...taken))).toEqual([]);
  });

  it('is not where the function is silent, or has no such vector', () => {
    expect(judged(on({ ...DROPPING, silent: true }, `${SET} 0+1 [e0]`, 'device.raise 0'))).toEqual([]);
    expect(judged(on(WITH_MSI, `${SET_MSI} 0+1 [e0]`, 'device.raise 9'))).toEqual([]);
  });
});

describe('a function that was given one message', () => {
  const lines = [`${SET_MSI} 0+2 [e0 e1]`, 'vfio.configWrite msiEnable 1'];

  it('has no event of another vector', () => {
    expect(judged(on(WITH_MSI, ...lines, 'device.raise 1'))).toEqual([]);
  });

  it('may lose none of the first', () => {
    const told = judged(on(WITH_MSI, ...lines, 'device.raise 0'), (steps) => {
      signalled(steps[2], {});
      says(steps[2], {}).registers = MSI_ENABLE;
    });
    expect(told).toContain('2 no-lost-interrupt: vector 0 raised while it is armed, and it got lost');
  });
});

describe('an event that MSI cannot keep', () => {
  it('is lost also where the function has MSI-X with fewer vectors', () => {
    const lines = [`${SET_MSI} 0+2 [e0 e1]`, `${SET_MSI} 0+2 [e2 bad]`, 'device.raise 1', `${SET_MSI} 0+2 [e3 e4]`];
    expect(judged(on(WITH_BOTH, ...lines))).toContainEqual(expect.stringContaining('MSI keeps no event'));
  });

  it('is lost where a failed call has taken the trigger', () => {
    const lines = [`${SET_MSI} 0+2 [e0 e1]`, `${SET_MSI} 0+2 [e2 bad]`, 'device.raise 0', `${SET_MSI} 0+2 [e3 e4]`];
    expect(judged(on(WITH_MSI, ...lines))).toEqual([
      '3 no-lost-interrupt: vector 0 raised while it had no handler, and MSI keeps no event; it is armed again and ' +
        'the event never came',
    ]);
  });
});
