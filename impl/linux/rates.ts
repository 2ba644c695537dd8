import { HarnessError } from '#vocabulary';
import { machineOf } from './system.ts';
import { DEVICES, type Vm } from './vm.ts';

/** What is changed while the device fires vector 0; the agent knows them by their places (agent/storm.h). */
export const PATTERNS = [
  'the trigger is replaced',
  'the trigger is removed, and set again',
  'other vectors are added',
  'MSI-X is turned off, and on again',
] as const;

/** How often an event was lost. It depends on luck and on the machine: a rate, never a verdict. */
export interface Rate {
  readonly processors: number;
  readonly pattern: (typeof PATTERNS)[number];
  /** Undefined where the kernel cannot do it. */
  readonly counts: { readonly fired: number; readonly lost: number } | undefined;
}

/** One processor, where nothing can happen between two of its steps, and two. */
const PROCESSORS: readonly number[] = [1, 2];
/** Above the time after which the agent gives an event up. */
const GRACE_MS = 30_000;

/**
 * Fires and changes at once, every pattern on every number of processors.
 * @param seconds for each
 * @throws HarnessError when a machine fails
 */
export async function measureRates(
  name: string,
  seconds: number,
  onRate: (rate: Rate) => void,
  options: { readonly modules?: string } = {},
): Promise<void> {
  const boot = machineOf(name, options);
  for (const processors of PROCESSORS) {
    const vm = await boot(true, processors);
    try {
      for (const pattern of PATTERNS) onRate({ processors, pattern, counts: await storm(vm, pattern, seconds) });
    } finally {
      await vm.end();
    }
  }
}

async function storm(vm: Vm, pattern: Rate['pattern'], seconds: number): Promise<Rate['counts']> {
  const slot = DEVICES.findIndex(({ msixVectors }) => msixVectors === 66);
  const milliseconds = seconds * 1000;
  vm.send(`Z ${slot} ${PATTERNS.indexOf(pattern)} ${milliseconds}\nE\n`);
  const counts = await vm.line(milliseconds + GRACE_MS);
  const done = await vm.line(GRACE_MS);
  const match = counts.kind === 'line' ? /^Z (-?\d+)(?: (\d+))?$/.exec(counts.text) : null;
  if (match === null || done.kind !== 'line') throw new HarnessError(`a storm failed\n${vm.lastWords()}`);
  return match[2] === undefined ? undefined : { fired: Number(match[1]), lost: Number(match[2]) };
}
