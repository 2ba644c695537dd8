import { join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { HarnessError, type OperationKind, type Scenario, type Trace } from '#vocabulary';
import { askScenario, readScenario } from './asked.ts';
import { type Client, greet, startClient } from './client.ts';
import type { Hello } from './hello.ts';
import { readState, readStep, type StateReply } from './replies.ts';
import { exampleOf, livelyScenario, tooManyDevices } from './smoke-scenarios.ts';

/** One thing that every harness must do, and whether this one does. */
export interface SmokeCheck {
  readonly name: string;
  /** What was seen: of one that passed what it showed, else what was wrong. */
  readonly saw: string;
  /** What to do next; left out where it passed. */
  readonly next?: string;
}

/** A check that did not pass. */
class Fault extends Error {
  readonly next: string;

  constructor(saw: string, next: string) {
    super(saw);
    this.next = next;
  }
}

/** What a check is done with: each has a process of its own. */
interface Trial {
  readonly client: Client;
  readonly hello: Hello;
}

interface Check {
  readonly name: string;
  /** The part of PROTOCOL.md that says how. */
  readonly section: string;
  /** Returns what was seen. @throws Fault */
  readonly perform: (trial: Trial) => Promise<string>;
}

/** Where to read on: a file of a clone, or of the package. */
const PROTOCOL = import.meta.url.endsWith('.ts')
  ? 'impl/stdio/PROTOCOL.md'
  : relative('', join(import.meta.dirname, 'PROTOCOL.md'));

/** A sequence number that needs 32 bits without a sign. */
const LARGE = 4_000_000_000;

const CHECKS: readonly Check[] = [
  { name: 'host', section: 'hello', perform: showsHost },
  { name: 'configure', section: 'configure', perform: configures },
  { name: 'operations', section: 'run', perform: answersEach },
  { name: 'observe', section: 'observe', perform: observes },
  { name: 'order', section: 'Lines', perform: keepsOrder },
  { name: 'refusal', section: 'configure', perform: refuses },
  { name: 'fresh start', section: 'configure', perform: startsFresh },
  { name: 'determinism', section: 'run', perform: repeats },
  { name: 'stop', section: 'stop', perform: stops },
];

/** What every harness must pass before its answers count. Without a hello nothing else is tried. */
export async function smoke(words: readonly string[], timeoutMs: number): Promise<readonly SmokeCheck[]> {
  const greeting = await tried('hello', 'hello', async () => {
    const client = startClient(words, timeoutMs);
    try {
      const { name, support } = await greet(client);
      return `${name} can be asked ${support.operations.size} kinds of operations`;
    } finally {
      await client.kill();
    }
  });
  const checks: SmokeCheck[] = [greeting];
  if (greeting.next !== undefined) return checks;
  for (const { name, section, perform } of CHECKS) {
    const check = await tried(name, section, async () => {
      const client = startClient(words, timeoutMs, name === 'order' ? LARGE : 0);
      try {
        return await perform({ client, hello: await greet(client) });
      } finally {
        await client.kill();
      }
    });
    checks.push(check);
  }
  return checks;
}

/** How many checks there are when all are tried. */
export const SMOKE_CHECKS = CHECKS.length + 1;

async function tried(name: string, section: string, perform: () => Promise<string>): Promise<SmokeCheck> {
  try {
    return { name, saw: await perform() };
  } catch (error) {
    if (error instanceof Fault) return { name, saw: error.message, next: error.next };
    if (!(error instanceof HarnessError)) throw error;
    return { name, saw: error.message, next: `see "${section}" in ${PROTOCOL}` };
  }
}

/** A whole scenario, of which nothing may be left out. @throws Fault */
async function ranWhole({ client }: Trial, scenario: Scenario): Promise<Trace> {
  const trace = await readScenario(askScenario(client, scenario, false));
  if (trace.skipped !== undefined)
    throw new Fault(
      `skipped (${trace.skipped}) what hello says it supports: ${describe(scenario, trace.steps.length)}`,
      'answer it, or leave it out of hello',
    );
  if (trace.lastWords === undefined) return trace;
  const last = trace.steps.at(-1)?.outcome;
  const isHung = last?.kind === 'unknown' && last.reason === 'time-out';
  throw new Fault(
    `${isHung ? 'hung' : 'crashed'} at ${describe(scenario, trace.steps.length - 1)}\n${trace.lastWords}`,
    isHung
      ? 'write a line for each answer, and flush stdout after the last one'
      : 'find out why the program ended; what it wrote last is above',
  );
}

function describe({ config, operations }: Scenario, place: number): string {
  const operation = operations[place];
  return operation === undefined
    ? `a machine of ${JSON.stringify(config.devices)}`
    : `operation ${place}, ${JSON.stringify(operation)}, on a machine of ${JSON.stringify(config.devices)}`;
}

async function showsHost({ hello: { support } }: Trial): Promise<string> {
  const { functions, host } = support;
  if (host === 'configured') return 'it is every host, as the machine says';
  if (functions !== 'any' && !functions.some(({ msixVectors }) => msixVectors > 1))
    throw new Fault(
      'it has a host of its own, and no function with 2 MSI-X vectors or more, on which it is asked how that behaves',
      'say "functions" of such a size in hello, or "host":"any" if it behaves as the machine says',
    );
  return 'its own, which is asked how it behaves before a campaign';
}

async function configures(trial: Trial): Promise<string> {
  const { config } = livelyScenario(trial.hello.support);
  const { initial } = await ranWhole(trial, { config, operations: [] });
  return `a machine of ${initial.length === 1 ? 'one device' : `${initial.length} devices`} was set up and shown`;
}

async function answersEach(trial: Trial): Promise<string> {
  const kinds = [...trial.hello.support.operations];
  const unaskable: OperationKind[] = [];
  for (const kind of kinds) {
    const scenario = exampleOf(kind, trial.hello.support);
    if (scenario === undefined) unaskable.push(kind);
    else await ranWhole(trial, scenario);
  }
  if (unaskable.length > 0)
    throw new Fault(
      `${unaskable.join(', ')}: there is no machine for that among those that hello says it supports`,
      'say in hello that it can have a VMM ("vmm") or leave the operation out',
    );
  return `each of the ${kinds.length} kinds was answered`;
}

async function observes(trial: Trial): Promise<string> {
  const { client, hello } = trial;
  const scenario = livelyScenario(hello.support);
  const trace = await ranWhole(trial, scenario);
  const answer = await client.answer(client.ask({ message: 'observe' }), readState);
  if (answer.kind !== 'reply') throw new Fault(`observe was ${answer.kind}`, 'answer observe with the whole state');
  scenario.config.devices.forEach((_, place) => {
    const [added, whole] = [addedUp(trace, place), shownWhole(answer.value, place)];
    const [addedText, wholeText] = [added, whole].map((state) => JSON.stringify(state));
    if (!isDeepStrictEqual(added, whole))
      throw new Fault(
        `device ${place}: the answers to operations add up to ${addedText}, observe says ${wholeText}`,
        'name in each answer every vector whose state is not as before, and in observe every one that is not 0',
      );
  });
  return 'the whole state is what the answers add up to';
}

/** The last of each that was told of a device. */
function addedUp({ initial, steps }: Trace, place: number): object {
  const told = [initial, ...steps.map(({ observation }) => observation)].flatMap((seen) => seen[place] ?? []);
  const vectors = new Map<number, number>();
  for (const { changes } of told) for (const { vector, state } of changes) vectors.set(vector, state);
  const { enable, functionMask, msixInfoFlags, registers } = told.at(-1) ?? {};
  return { enable, functionMask, msixInfoFlags, registers, vectors: notIdle(vectors) };
}

function shownWhole({ devices }: StateReply, place: number): object {
  const state = devices.find(({ number }) => number === place)?.value;
  const { enable = false, functionMask = false, msixInfoFlags = 0, registers = 0, vectors = [] } = state ?? {};
  const told = new Map(vectors.map(({ number, value }) => [number, value]));
  return { enable, functionMask, msixInfoFlags, registers, vectors: notIdle(told) };
}

function notIdle(vectors: ReadonlyMap<number, number>): object {
  const entries = [...vectors].filter(([, state]) => state !== 0).sort(([left], [right]) => left - right);
  return Object.fromEntries(entries);
}

async function keepsOrder({ client, hello }: Trial): Promise<string> {
  const { config, operations } = livelyScenario(hello.support);
  const configuring = client.ask({ message: 'configure', config });
  const observing = client.ask({ message: 'observe' });
  const running = client.ask({ message: 'run', operations, flush: true });
  const again = client.ask({ message: 'observe' });
  const kinds: string[] = [];
  for (const seq of [configuring, observing]) kinds.push((await client.answer(seq, readState)).kind);
  for (const place of operations.keys()) kinds.push((await client.answer(running, readStep, place)).kind);
  kinds.push((await client.answer(again, readState)).kind);
  const other = kinds.find((kind) => kind !== 'reply');
  if (other !== undefined)
    throw new Fault(`one of four messages sent at once was ${other}`, 'answer messages one after the other');
  return 'messages sent at once are answered in order, with their own sequence numbers';
}

async function refuses(trial: Trial): Promise<string> {
  const { support } = trial.hello;
  const scenario = tooManyDevices(support);
  const { config } = scenario;
  const { kind } = await trial.client.answer(trial.client.ask({ message: 'configure', config }), readState);
  if (kind === 'reply')
    throw new Fault(
      `a machine of ${scenario.config.devices.length} devices was set up, and hello says ${support.devicesMax} at most`,
      'answer configure with {"seq":...,"skipped":"why"} for a machine that it cannot be',
    );
  // The rest of such a scenario is asked too.
  const { skipped } = await readScenario(askScenario(trial.client, scenario, false));
  await ranWhole(trial, livelyScenario(support));
  return `a machine that it cannot be is skipped: ${skipped}`;
}

async function startsFresh(trial: Trial): Promise<string> {
  const scenario = livelyScenario(trial.hello.support);
  const first = await ranWhole(trial, scenario);
  const again = await ranWhole(trial, scenario);
  if (!isDeepStrictEqual(again, first))
    throw new Fault(
      `the same scenario was answered otherwise the second time: ${differenceOf(first, again)}`,
      'forget everything at configure: devices, triggers, eventfds, limits',
    );
  return 'nothing of a scenario is left in the next';
}

async function repeats(trial: Trial): Promise<string> {
  const scenario = livelyScenario(trial.hello.support);
  const first = await ranWhole(trial, scenario);
  for (const kind of trial.hello.support.operations) {
    const between = exampleOf(kind, trial.hello.support);
    if (between !== undefined) await ranWhole(trial, between);
  }
  const again = await ranWhole(trial, scenario);
  if (!isDeepStrictEqual(again, first))
    throw new Fault(
      `the same scenario is answered otherwise after others: ${differenceOf(first, again)}`,
      'let nothing but configure and the operations decide: no time, no chance, no past',
    );
  return 'the same scenario is answered the same way, whatever came before';
}

function differenceOf(first: Trace, again: Trace): string {
  const place = first.steps.findIndex((step, index) => !isDeepStrictEqual(step, again.steps[index]));
  const [before, after] = place === -1 ? [first.initial, again.initial] : [first.steps[place], again.steps[place]];
  const where = place === -1 ? 'configure' : `operation ${place}`;
  return `${where}: first ${JSON.stringify(before)}, then ${JSON.stringify(after)}`;
}

async function stops({ client }: Trial): Promise<string> {
  const fault = await client.stop();
  if (fault !== undefined) throw new Fault(fault, 'answer stop with {"seq":...}, flush stdout and end');
  return 'stop is answered, and the process ends';
}
