import { describe, expect, it } from 'vitest';
import { GUEST_LOST } from './guest-fixture.ts';
import { machineLines, vmmWords } from './machine.ts';

const { config } = GUEST_LOST.scenario;
const DYNAMIC = { ...config.host, dynamicMsix: true };

describe('a machine in words', () => {
  it('has its VMM between host and devices', () => {
    expect(machineLines(config)).toEqual([
      expect.stringMatching(/^host: MSI-X fixed while on; /),
      'VMM: sets up vector 0 first and grows by tear-down; delivers in its own event loop',
      'device 0: MSI-X table of 8 vectors; drops events while MSI-X is off',
    ]);
  });

  it('says what a VMM does on this host', () => {
    const asked = { allocation: 'as-irq-info-says', delivery: 'irqfd' } as const;
    expect(vmmWords(asked, config.host)).toBe(
      'sets up no vector first and grows by tear-down, as NORESIZE is set; lets KVM deliver',
    );
    expect(vmmWords(asked, DYNAMIC)).toBe(
      'sets up no vector first and adds each, as NORESIZE is clear; lets KVM deliver',
    );
    expect(vmmWords({ ...asked, allocation: 'all-at-enable' }, DYNAMIC)).toBe(
      'sets up the whole table when the guest enables MSI-X; lets KVM deliver',
    );
  });
});
