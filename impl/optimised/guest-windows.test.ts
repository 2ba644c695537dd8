import { describe, expect, it } from 'vitest';
import {
  AK,
  AU,
  BK,
  BU,
  CK,
  CU,
  DEVICE,
  DISABLE,
  DK,
  DU,
  ENABLE,
  ENABLE_MASKED,
  mask,
  raise,
  reads,
  seen,
  unmask,
} from './guest.fixture.ts';

const arm = (vector: number, window: 'before-call' | 'teardown-gap' | 'after-set'): string =>
  `device.arm ${vector} ${window}`;
const M0 = 'message 0x4000 to 0x100000';
const M1 = 'message 0x4001 to 0x100004';
const M2 = 'message 0x4002 to 0x100008';
const ON = [ENABLE, ...unmask(0, 1)];
const LATCHING = { ...DEVICE, whileOff: 'latches' } as const;

describe('the teardown gap', () => {
  it('S22, W1: an event between the calls of growth is lost, and where there is no growth it is not', () => {
    for (const config of [AU, BU, AK, BK]) {
      const grown = [...ON, arm(1, 'teardown-gap'), ...unmask(2)];
      expect(seen(config(), ...grown)).toBe('ok | raised 1 in teardown-gap');
      expect(reads(config(), ...grown)).toBe('on 0-2 unmasked');
      // A function that latches while MSI-X is off has lost nothing.
      expect(seen(config(LATCHING), ...grown)).toBe(`ok | raised 1 in teardown-gap | ${M1}`);
    }
    for (const config of [CU, CK]) {
      expect(seen(config(), ...ON, arm(1, 'teardown-gap'), ...unmask(2))).toBe(`ok | raised 1 | ${M1}`);
      expect(seen(config(), ...ON, arm(1, 'teardown-gap'), DISABLE)).toBe('ok | raised 1 in teardown-gap');
    }
  });

  it('opens only where MSI-X has been turned off', () => {
    // The trick turns off what is off already.
    expect(seen(AU(), arm(0, 'teardown-gap'), ENABLE)).toBe('ok | raised 0');
    expect(seen(AU(), ...ON, arm(0, 'teardown-gap'), DISABLE)).toBe('ok | raised 0 in teardown-gap');
    expect(seen(AU(), ...ON, arm(0, 'teardown-gap'), 'guest.reset')).toBe('ok | raised 0 in teardown-gap');
    expect(seen(AU(), arm(0, 'teardown-gap'), 'guest.reset')).toBe('ok | raised 0');
    expect(seen(DK(), ...ON, arm(0, 'teardown-gap'), DISABLE)).toBe('ok | raised 0 in teardown-gap');
    // W10: the first of several.
    const stormy = [ENABLE_MASKED, ...unmask(0, 1, 2), arm(0, 'teardown-gap'), ENABLE];
    expect(seen(BU(), ...stormy)).toBe('ok | raised 0 in teardown-gap');
    // Vector 0 is armed in its second.
    expect(seen(BU(), ...stormy.slice(0, -2), arm(0, 'after-set'), arm(0, 'teardown-gap'), ENABLE)).toBe(
      `ok | raised 0 in teardown-gap | raised 0 in after-set | ${M0}`,
    );
  });
});

describe('before the first call', () => {
  it('S23: what is in an eventfd survives the growth, and what KVM takes is there at once', () => {
    for (const config of [AU, BU, AK, BK, CU, CK])
      expect(seen(config(), ...ON, arm(1, 'before-call'), ...unmask(2))).toBe(`ok | raised 1 in before-call | ${M1}`);
    // Two are one for the VMM, and two for KVM.
    const twice = [...ON, arm(1, 'before-call'), arm(1, 'before-call'), ...unmask(2)];
    const raised = 'ok | raised 1 in before-call | raised 1 in before-call';
    expect(seen(BU(), ...twice)).toBe(`${raised} | ${M1}`);
    expect(seen(BK(), ...twice)).toBe(`${raised} | ${M1} x2`);
  });

  it('is in front of INTx too, with MSI-X off', () => {
    expect(seen(CU(), arm(0, 'before-call'), ENABLE)).toBe('ok | raised 0 in before-call');
    expect(reads(CU(LATCHING), arm(0, 'before-call'), ENABLE)).toBe('on 0 pending');
    const pinless = { msixVectors: 8, whileOff: 'drops', reset: true } as const;
    expect(seen(CU(pinless), arm(0, 'before-call'), 'guest.reset')).toBe('ok | raised 0 in before-call');
  });

  it('W5: an event just before the unmask goes out after what was pending, each once', () => {
    const pending = [...ON, ...mask(1), raise(1), arm(1, 'before-call'), ...unmask(1)];
    for (const config of [AU, BU, CU, AK, BK, CK])
      expect(seen(config(), ...pending)).toBe(`ok | raised 1 in before-call | ${M1} x2`);
  });

  it('W6: an event just before the mask', () => {
    // KVM has sent it; the VMM makes no call, so the event is after the mask.
    expect(seen(CK(), ...ON, arm(1, 'before-call'), ...mask(1))).toBe(`ok | raised 1 in before-call | ${M1}`);
    expect(seen(CU(), ...ON, arm(1, 'before-call'), ...mask(1))).toBe('ok | raised 1');
    expect(reads(CU(), ...ON, arm(1, 'before-call'), ...mask(1))).toBe('on 0 unmasked; 1 pending');
  });

  it('W7: a disable closes the eventfds before the main loop comes round', () => {
    expect(seen(CU(), ...ON, arm(1, 'before-call'), DISABLE)).toBe('ok | raised 1 in before-call');
    expect(seen(CU(), ...ON, arm(1, 'before-call'), DISABLE, ENABLE)).toBe('ok');
    expect(seen(DU(), ...ON, arm(1, 'before-call'), DISABLE, ENABLE)).toBe('ok');
  });
});

describe('after the call that sets eventfds', () => {
  it('opens once, whether the call has succeeded or not', () => {
    expect(seen(CU(), ...ON, arm(2, 'after-set'), ...unmask(2))).toBe(`ok | raised 2 in after-set | ${M2}`);
    expect(seen(CK(), ...ON, arm(2, 'after-set'), ...unmask(2))).toBe(`ok | raised 2 in after-set | ${M2}`);
    const failed = [...ON, 'host.limitVectors 0', arm(0, 'after-set'), ...unmask(2)];
    expect(seen(BU(), ...failed)).toBe('ok | raised 0 in after-set');
    expect(seen(CU(), ...failed)).toBe(`ok | raised 0 in after-set | ${M0}`);
    // MSI-X is turned on with nothing armed: the event is the function's, until the block is set.
    expect(seen(CU(), ...unmask(1), arm(1, 'after-set'), ENABLE)).toBe(`ok | raised 1 in after-set | ${M1}`);
    expect(seen(DU(), arm(3, 'after-set'), ENABLE)).toBe('ok | raised 3 in after-set');
    expect(reads(DU(), arm(3, 'after-set'), ENABLE)).toBe('on 3 pending');
  });

  it('W4: masked with KVM, the VMM has the event before the guest reads', () => {
    const masked = [...ON, arm(1, 'after-set'), ...mask(1)];
    expect(seen(CK(), ...masked)).toBe('ok | raised 1 in after-set');
    expect(reads(CK(), ...masked)).toBe('on 0 unmasked; 1 pending');
  });

  it('with KVM the whole table is connected before it is armed, and masked vectors wait', () => {
    expect(seen(DK(), ...unmask(1), arm(1, 'after-set'), arm(2, 'after-set'), ENABLE)).toBe(
      `ok | raised 1 in after-set | raised 2 in after-set | ${M1}`,
    );
    expect(seen(DK(), ...unmask(1), arm(2, 'after-set'), ENABLE, ...unmask(2))).toBe(`ok | ${M2}`);
  });
});

describe('what was armed', () => {
  it('happens in its window, in order, and the rest afterwards', () => {
    const order = [arm(2, 'after-set'), arm(1, 'before-call'), arm(0, 'teardown-gap'), arm(0, 'before-call')];
    const raised = 'raised 1 in before-call | raised 0 in before-call | raised 2 in after-set | raised 0';
    expect(seen(CU(), ...ON, ...order, ...unmask(2))).toBe(`ok | ${raised} | ${M0} x2 | ${M1} | ${M2}`);
    expect(seen(CU(), ...ON, ...order, ...unmask(2), ...unmask(2))).toBe('ok');
  });

  it('happens after a reaction without calls, reads too, with the main loop after each', () => {
    const two = [arm(1, 'before-call'), arm(1, 'after-set')];
    for (const line of ['guest.readPba 0', 'guest.tableRead 0 +0', 'guest.busMaster enable', ENABLE]) {
      expect(seen(CU(), ...ON, ...two, line)).toMatch(new RegExp(`\\| raised 1 \\| raised 1 \\| ${M1} x2$`));
      expect(seen(DK(), ...ON, ...two, line)).toMatch(new RegExp(`\\| raised 1 \\| raised 1 \\| ${M1} x2$`));
    }
    expect(seen(CU(), ...ON, arm(1, 'before-call'), 'guest.busMaster disable')).toBe('ok | raised 1');
  });

  it('waits for a guest, and for its own device', () => {
    const waiting = [...ON, arm(1, 'before-call'), raise(0)];
    expect(seen(CU(), ...waiting)).toBe(`ok | raised 0 | ${M0}`);
    expect(seen(CU(), ...waiting, 'host.limitVectors 3', 'guest.readPba 0')).toBe(`reads 0 | raised 1 | ${M1}`);
    const two = { ...CU(), devices: [DEVICE, DEVICE] };
    expect(seen(two, ...ON, arm(1, 'before-call'), `${ENABLE} @1`)).toBe('ok');
    expect(seen(two, ...ON, arm(1, 'before-call'), `${ENABLE} @1`, ...unmask(2))).toBe(
      `ok | raised 1 in before-call | ${M1}`,
    );
  });
});
