import { describe, expect, it } from 'vitest';
import { type PlaceTold, placesNotFound, placesTold, profileParts } from './places.ts';

const COUNTED = [
  { profile: 'linux-6.1', count: 34 },
  { profile: 'linux-6.12', count: 1 },
  { profile: 'linux-6.1+qemu-7.2/irqfd', count: 1200 },
  { profile: 'linux-7+qemu-7.2', count: 1 },
];

describe('a profile', () => {
  it('is a host, or a host with a VMM', () => {
    expect(profileParts('linux-6.1')).toEqual({ host: 'linux-6.1', vmm: undefined });
    expect(profileParts('linux-6.1+qemu-7.2/irqfd')).toEqual({ host: 'linux-6.1', vmm: 'qemu-7.2/irqfd' });
  });
});

function told(places: readonly PlaceTold[]): readonly string[] {
  return places.map(({ host, words }) => `${host}: ${words}`);
}

describe('counts', () => {
  it('are told by host', () => {
    expect(told(placesTold(COUNTED))).toEqual([
      'linux-6.1: alone 34, qemu-7.2/irqfd 1,200 scenarios',
      'linux-6.12: 1 scenario',
      'linux-7: qemu-7.2 1 scenario',
    ]);
  });

  it('are one number for each of many hosts', () => {
    expect(told(placesTold([...COUNTED, { profile: 'linux-8+x', count: 2 }]))).toEqual([
      '4 hosts: linux-6.1 1,234, linux-6.12 1, linux-7 1, linux-8 2 scenarios',
    ]);
  });

  it('are one number for many VMMs', () => {
    const vmms = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ profile: `linux-6.1+v${index}`, count: index }));
    const alone = { profile: 'linux-6.1', count: 7 };
    expect(told(placesTold([alone, ...vmms(4)]))).toEqual(['linux-6.1: alone 7, v0 0, v1 1, v2 2, v3 3 scenarios']);
    expect(told(placesTold([...vmms(5), alone]))).toEqual(['linux-6.1: alone 7, 5 VMMs 10 scenarios']);
    expect(told(placesTold(vmms(5)))).toEqual(['linux-6.1: 5 VMMs 10 scenarios']);
  });

  it('are told where there are none', () => {
    expect(told(placesNotFound([...COUNTED, { profile: 'linux-8+x', count: 0 }]))).toEqual([
      'linux-6.1: alone, qemu-7.2/irqfd not found',
      'linux-6.12: not found',
      'linux-7: qemu-7.2 not found',
      'linux-8: x not found',
    ]);
  });
});
