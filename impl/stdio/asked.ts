import { HarnessError, type Operation, printOperation, type Scenario, type Step, type Trace } from '#vocabulary';
import type { Client } from './client.ts';
import { readState, readStep } from './replies.ts';
import { TraceReader } from './traces.ts';

/** A scenario that a child was asked. */
export interface Asked {
  readonly client: Client;
  readonly scenario: Scenario;
  /** The sequence numbers of the three messages that a scenario is. */
  readonly configuring: number;
  readonly running: number;
  readonly observing: number;
}

/**
 * Asks a child for a whole scenario: that the machine was refused is the answer to what follows as well.
 * @param flush whether each answer has to be written before the next operation
 */
export function askScenario(client: Client, scenario: Scenario, flush: boolean): Asked {
  const { config, operations } = scenario;
  const configuring = client.ask(
    { message: 'configure', config },
    { message: 'run', operations, flush },
    { message: 'observe' },
  );
  return { client, scenario, configuring, running: configuring + 1, observing: configuring + 2 };
}

/**
 * What came of a scenario that was asked, before anything that was asked later. What is observed last shows that the
 * child has lived through it.
 * @throws HarnessError for what is no answer, and for one that says that the harness has failed
 */
export async function readScenario({ client, scenario, configuring, running, observing }: Asked): Promise<Trace> {
  const { config, operations } = scenario;
  const reader = new TraceReader(config);
  const configured = await client.answer(configuring, readState);
  switch (configured.kind) {
    case 'skipped':
      if (operations.length > 0) await expectSkipped(client, running);
      await expectSkipped(client, observing);
      return { initial: [], steps: [], skipped: configured.reason };
    case 'errored':
      throw new HarnessError(`configure was errored: ${configured.reason}`);
    case 'ended': {
      const lastWords = `before it answered configure\n${configured.lastWords}`;
      // Without an operation there is none that it could have ended in.
      return { initial: [], steps: operations.length === 0 ? [] : [lastStep(configured.reason)], lastWords };
    }
    case 'reply': {
      const start = reader.first(configured.value);
      const trace = await readSteps(client, running, operations, start, reader);
      return trace.lastWords === undefined ? livedThrough(client, observing, trace) : trace;
    }
  }
}

async function expectSkipped(client: Client, seq: number): Promise<void> {
  const { kind } = await client.answer(seq, readStep);
  if (kind !== 'skipped')
    throw new HarnessError(`expected skipped after configure was skipped, until the next configure, got ${kind}`);
}

async function livedThrough(client: Client, observing: number, trace: Trace): Promise<Trace> {
  const answer = await client.answer(observing, readState);
  switch (answer.kind) {
    case 'reply':
      return trace;
    case 'skipped':
    case 'errored':
      throw new HarnessError(`observe was ${answer.kind}: ${answer.reason}`);
    case 'ended': {
      // All was answered, and it died of it: the last operation is the last that it survived.
      const lastWords = `after the last operation, before it answered observe\n${answer.lastWords}`;
      const steps = trace.steps.length === 0 ? [] : [...trace.steps.slice(0, -1), lastStep(answer.reason)];
      return { ...trace, steps, lastWords };
    }
  }
}

async function readSteps(
  client: Client,
  running: number,
  operations: readonly Operation[],
  start: Pick<Trace, 'initial' | 'initialParent'>,
  reader: TraceReader,
): Promise<Trace> {
  const steps: Step[] = [];
  for (const [place, operation] of operations.entries()) {
    const answer = await client.answer(running, readStep, place);
    switch (answer.kind) {
      case 'reply':
        steps.push(reader.next(operation, answer.value));
        break;
      case 'skipped':
        return { ...start, steps, skipped: answer.reason };
      case 'errored':
        throw new HarnessError(`operation ${place} (${printOperation(operation)}) was errored: ${answer.reason}`);
      case 'ended':
        return { ...start, steps: [...steps, lastStep(answer.reason)], lastWords: answer.lastWords || 'none' };
    }
  }
  return { ...start, steps };
}

function lastStep(reason: 'crash' | 'time-out'): Step {
  return { outcome: { kind: 'unknown', reason }, events: [], observation: [], clauses: [] };
}
