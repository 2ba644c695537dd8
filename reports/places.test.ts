import { describe, expect, it } from 'vitest';
import { byHost, countWords, notFoundWords, profileParts } from './places.ts';

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

describe('counts', () => {
  it('are told by host', () => {
    expect(byHost(COUNTED).map((host) => `${host.host}: ${countWords(host)}`)).toEqual([
      'linux-6.1: alone 34, qemu-7.2/irqfd 1,200 scenarios',
      'linux-6.12: 1 scenario',
      'linux-7: qemu-7.2 1 scenario',
    ]);
  });

  it('are told where there are none', () => {
    expect(byHost(COUNTED).map(notFoundWords)).toEqual([
      'alone, qemu-7.2/irqfd not found',
      'not found',
      'qemu-7.2 not found',
    ]);
  });
});
