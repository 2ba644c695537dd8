import {
  ALLOCATED,
  ARMED,
  type Config,
  type HostTraits,
  type PciFunction,
  PENDING,
  parseOperation,
  printEvent,
  printOutcome,
  type Scenario,
  type Trace,
} from '#vocabulary';

/** Answers of the hosts before 6.5, and of those from 6.5 on that can add vectors; one answer where they agree. */
export type Answers = readonly [string] | readonly [string, string];

/** A hand-written scenario with what is known to happen, for device 0. */
export interface Script {
  /** Named by its number in our list of statements about vfio-pci, or by its story. */
  readonly id: string;
  readonly says: string;
  readonly device: PciFunction;
  /** Operation, then its answer: outcome and events, as the notation prints them. */
  readonly lines: readonly (readonly [operation: string, ...answers: Answers])[];
  /**
   * What is allocated, armed and pending at the end, and whether MSI-X is on: `irqs 0-4, armed 3 4, pending none, on`.
   */
  readonly end: Answers;
}

/** The answer of a host: the first for hosts that look at the whole range first, the last for the others. */
export function answerFor(answers: Answers, host: HostTraits): string {
  const [first, second = first] = answers;
  return host.rangeCheck === 'whole-range-first' ? first : second;
}

export function scenarioOf({ device, lines }: Script, host: HostTraits): Scenario {
  const config: Config = { host, devices: [device] };
  return { config, operations: lines.map(([operation]) => parseOperation(operation)) };
}

/** What a script expects of a host, in the words of `told`. */
export function expectedOf({ lines, end }: Script, host: HostTraits): readonly string[] {
  const steps = lines.map(([operation, ...answers]) => `${operation} -> ${answerFor(answers as Answers, host)}`);
  return [...steps, answerFor(end, host)];
}

/** What a run did, in the words of a script. */
export function toldBy({ lines }: Script, { steps }: Trace): readonly string[] {
  const states = new Map<number, number>();
  for (const { observation } of steps)
    for (const { vector, state } of observation[0]?.changes ?? []) states.set(vector, state);
  const vectors = (bit: number): string => {
    const those = [...states].filter(([, state]) => (state & bit) !== 0).map(([vector]) => vector);
    return ranges(those.sort((left, right) => left - right));
  };
  const on = steps.at(-1)?.observation[0]?.enable === true ? 'on' : 'off';
  return [
    ...steps.map(({ outcome, events }, index) => {
      const shown = events.filter(({ kind }) => kind === 'signalled').map(printEvent);
      return `${lines[index]?.[0]} -> ${[printOutcome(outcome), ...shown].join(', ')}`;
    }),
    `irqs ${vectors(ALLOCATED)}, armed ${vectors(ARMED)}, pending ${vectors(PENDING)}, ${on}`,
  ];
}

function ranges(vectors: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const vector of vectors) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === vector - 1) run[1] = vector;
    else runs.push([vector, vector]);
  }
  if (runs.length === 0) return 'none';
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(' ');
}
