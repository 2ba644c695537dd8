import type { Random } from 'fast-check';
import type { HostFailAllocation, HostLimitVectors } from '#vocabulary';
import { chance } from './random.ts';

/** Few enough that the next range meets the limit in its middle; sometimes so many that there is none. */
export function drawLimitVectors(random: Random): HostLimitVectors {
  return { kind: 'host.limitVectors', count: chance(random, 10) ? 4096 : random.nextInt(0, 6) };
}

/** Soon enough that the next range meets it. */
export function drawFailAllocation(random: Random): HostFailAllocation {
  return { kind: 'host.failAllocation', nth: random.nextInt(1, 6) };
}
