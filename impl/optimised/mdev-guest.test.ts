import { describe, expect, it } from 'vitest';
import type { Config, VmmTraits } from '#vocabulary';
import { printCall } from '#vocabulary';
import { blk, EN0, ENABLE, RESET, set, unmask } from './guest.fixture.ts';
import { begin, configOf, did, mdevOf, parentAfter, STATIC, steps } from './mdev.fixture.ts';

const shown = (
  allocation: VmmTraits['allocation'],
  delivery: VmmTraits['delivery'],
  more: Partial<Config> = {},
): Config => configOf({}, { ...more, vmm: { allocation, delivery } });
const DYNAMIC_U = shown('as-irq-info-says', 'userspace');
const DYNAMIC_K = shown('as-irq-info-says', 'irqfd');
const FIXED_U = shown('all-at-enable', 'userspace', STATIC);
const M1 = 'message 0x4001 to 0x100004';
const ON = [ENABLE, ...unmask(1)];

function callsOf(config: Config, ...lines: readonly string[]): readonly (readonly string[])[] {
  return steps(config, ...lines).map((step) => (step.calls ?? []).map(printCall));
}

describe('an mdev that a VMM shows', () => {
  it('has vectors added one by one where the driver can, and all at once where it cannot', () => {
    expect(callsOf(DYNAMIC_U, ...ON)).toEqual([[EN0], [set(1, 'i1')]]);
    expect(callsOf(FIXED_U, ...ON)).toEqual([[blk('i0 i1 i2')], []]);
  });

  it('is unmasked for the driver at all times', () => {
    expect(parentAfter(DYNAMIC_U, ...ON, 'guest.mask 1')[0]).toBe('entry 0 of @0.1: unmasked pasid 1 irq 0x101');
    const masked = steps(DYNAMIC_U, ...ON).at(-1);
    expect(masked?.observation[0]?.changes).toEqual([{ vector: 1, state: 3 }]);
  });

  it('gets the message of a descriptor that is done, from the VMM or from KVM', () => {
    for (const config of [DYNAMIC_U, DYNAMIC_K, FIXED_U])
      expect(did(config, ...ON, ...begin(0, 0), 'device.complete 0')).toBe(`ok | descriptor 0 done | ${M1}`);
    // Masked, the VMM keeps it and shows it.
    const kept = [...ON, ...begin(0, 0), 'guest.mask 1', 'device.complete 0'];
    expect(did(DYNAMIC_U, ...kept)).toBe('ok | descriptor 0 done');
    expect(did(DYNAMIC_U, ...kept, 'guest.readPba 0')).toBe('reads 2');
    expect(did(DYNAMIC_U, ...kept, ...unmask(1))).toBe(`ok | ${M1}`);
  });

  it('gets the error of a descriptor on vector 0', () => {
    expect(did(DYNAMIC_U, ENABLE, ...unmask(0), ...begin(0, 3))).toBe(
      'ok | descriptor 0 refused 0x19 | SWERROR pasid 0 | message 0x4000 to 0x100000',
    );
    // The driver keeps it until there is someone to tell.
    expect(did(DYNAMIC_U, ...begin(0, 3), 'guest.readPba 0')).toBe('reads 1');
    expect(did(DYNAMIC_U, ...begin(0, 3), ENABLE, ...unmask(0))).toBe('ok | message 0x4000 to 0x100000');
  });

  it('is reset by the VMM, and has lost its triggers', () => {
    const reset = steps(DYNAMIC_U, ...ON, 'guest.reset').at(-1);
    expect(reset?.calls?.map(printCall).at(-1)).toBe(RESET);
    expect(reset?.observation[0]?.changes).toEqual([{ vector: 1, state: 0 }]);
  });

  it('wakes the VMM of a sister too', () => {
    // One default PASID for both: a descriptor of one fits the entry of the other.
    const more = { devices: [mdevOf(0), mdevOf(0)], vmm: DYNAMIC_U.vmm as VmmTraits };
    const sisters = configOf({ defaultPasid: 'per-domain' }, more);
    expect(did(sisters, ...ON, ...begin(0, 0, 1), 'device.complete 0')).toBe(`ok | descriptor 0 @1 done | ${M1}`);
  });
});

describe('an armed descriptor', () => {
  const armed = (window: string): string[] => [
    ...ON,
    'guest.submit 0 dedicated 0 handle=0',
    `device.armDescriptor 0 ${window}`,
  ];

  it('is begun and done after the next operation on the mdev, and of no other one', () => {
    expect(did(DYNAMIC_U, ...armed('after-set'), 'guest.readPba 0')).toBe(`reads 0 | descriptor 0 done | ${M1}`);
    expect(did(DYNAMIC_U, ...armed('after-set'), 'guest.readPba 0 @1')).toBe('reads 0');
    expect(did(DYNAMIC_U, ...armed('after-set'), 'guest.freePasid 3')).toBe(`ok | descriptor 0 done | ${M1}`);
    // Where somebody has begun it already it is only done, and where it is over nothing happens.
    expect(did(DYNAMIC_U, ...armed('after-set'), 'device.start 0', 'guest.readPba 0')).toMatch(/descriptor 0 done/);
    expect(did(DYNAMIC_U, ...armed('after-set'), 'device.start 0', 'device.complete 0', 'guest.readPba 0')).toBe(
      'reads 0',
    );
  });

  it('is refused in the window in which its entry is not there', () => {
    const legacy = shown('vector-0-first', 'userspace');
    expect(did(legacy, ...armed('teardown-gap'), ...unmask(2))).toMatch(
      /^ok \| descriptor 0 refused 0x19 \| SWERROR pasid 0/,
    );
    expect(did(legacy, ...armed('before-call'), ...unmask(2))).toBe(`ok | descriptor 0 done | ${M1}`);
    expect(did(legacy, ...armed('after-set'), ...unmask(2))).toBe(`ok | descriptor 0 done | ${M1}`);
  });
});
