import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  type Config,
  type HostTraits,
  type PciFunction,
  PENDING,
  parseOperation,
  printEvent,
  printOutcome,
  printRegisters,
  type Scenario,
  type Trace,
} from '#vocabulary';

/**
 * Answers of the hosts before 6.5, of those from 6.5 on that can add MSI-X vectors, and of the others from 6.5 on.
 * An answer that is left out is the one before it.
 */
export type Answers = readonly [string] | readonly [string, string] | readonly [string, string, string];

/** A hand-written scenario with what is known to happen, for device 0. */
export interface Script {
  /** Named by its number in our list of statements about vfio-pci, or by its story. */
  readonly id: string;
  readonly says: string;
  readonly device: PciFunction;
  /** For a machine that does not remap interrupts. */
  readonly interruptRemapping?: false;
  /** Operation, then its answer: outcome and events, as the notation prints them. */
  readonly lines: readonly (readonly [operation: string, ...answers: Answers])[];
  /**
   * What is allocated, armed and pending at the end, and whether MSI-X is on: `irqs 0-4, armed 3-4, pending none, on`.
   * Then, where there are any, the vectors whose message goes to address 0 and the registers that are set:
   * `irqs 0-1, armed 0-1, pending none, on, address-0 1, INTx-disable`.
   */
  readonly end: Answers;
}

/** The end of a script that leaves nothing set up. */
export const OFF = 'irqs none, armed none, pending none, off';

/** The answer of a host: the first where the whole range is looked at first, else by whether vectors can be added. */
function answerFor(answers: Answers, host: HostTraits): string {
  const [before, adding = before, notAdding = adding] = answers;
  if (host.rangeCheck === 'whole-range-first') return before;
  return host.dynamicMsix ? adding : notAdding;
}

export function scenarioOf({ device, interruptRemapping, lines }: Script, host: HostTraits): Scenario {
  const machine = interruptRemapping === undefined ? {} : { interruptRemapping };
  const config: Config = { host, ...machine, devices: [device] };
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
  const last = steps.at(-1)?.observation[0];
  const registers = last?.registers ?? 0;
  const address0 = vectors(ADDRESS_0);
  const end = [
    `irqs ${vectors(ALLOCATED)}`,
    `armed ${vectors(ARMED)}`,
    `pending ${vectors(PENDING)}`,
    last?.enable === true ? 'on' : 'off',
    ...(address0 === 'none' ? [] : [`address-0 ${address0}`]),
    ...(registers === 0 ? [] : [printRegisters(registers)]),
  ];
  return [
    ...steps.map(({ outcome, events }, index) => {
      const shown = events.filter(({ kind }) => kind === 'signalled').map(printEvent);
      return `${lines[index]?.[0]} -> ${[printOutcome(outcome), ...shown].join(', ')}`;
    }),
    end.join(', '),
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
