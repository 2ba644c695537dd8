import {
  type Config,
  type MdevTraits,
  type Parent,
  parseOperation,
  printEvent,
  printOutcome,
  type Scenario,
  type Step,
  type Trace,
} from '#vocabulary';
import { MDEV_HOST_NAMES, type MdevHostName, platformOf } from '../../model/profiles.ts';
import type { MdevMachine } from './mdev-machines.ts';
import { ask, emptyPicture, look } from './mdev-state.ts';

/** What a script can say of a driver, and of the way in which descriptors name their entries. */
export type Word =
  | MdevTraits['allocation']
  | 'all-at-once'
  | MdevTraits['permSync']
  | `unbound-${MdevTraits['noTranslation']}`
  | MdevTraits['defaultPasid']
  | `released-by-${MdevTraits['releaseBy']}`
  | 'dynamic'
  | 'static'
  | 'handles-requested'
  | 'handles-any';

/** What is expected everywhere, or by words that hold: of the keys whose words all hold the first one counts. */
export type Expected = string | Readonly<Partial<Record<Word | `${Word} ${Word}` | 'else', string>>>;

/**
 * An operation with its answer: outcome and events, as the notation prints them; `ok` alone when left out. Or a
 * question to the state that the operations so far have led to, as `? entry 0`, with its answer.
 */
export type Line = readonly [operation: string] | readonly [what: string, expected: Expected];

/** A hand-written scenario on mediated devices, with what is to happen. */
export interface MdevScript {
  /** Named by its number in our list of statements about mediated devices, or by the historic fault. */
  readonly id: string;
  readonly says: string;
  /** Said of drivers of which all of this holds; of every driver when left out. */
  readonly of?: readonly Word[];
  readonly machine: MdevMachine;
  readonly lines: readonly Line[];
}

/** A script on one profile, with one way to name handles. */
export interface MdevCase {
  readonly script: MdevScript;
  readonly profile: MdevHostName;
  readonly handles: Parent['handles'];
}

const HANDLES: readonly Parent['handles'][] = ['requested', 'index'];

/** Every script on every profile that it speaks of. */
export function mdevCasesOf(scripts: readonly MdevScript[]): readonly MdevCase[] {
  return scripts.flatMap((script) =>
    MDEV_HOST_NAMES.flatMap((profile) =>
      HANDLES.map((handles): MdevCase => ({ script, profile, handles })).filter(isSaidOf),
    ),
  );
}

function isSaidOf({ script, profile, handles }: MdevCase): boolean {
  const named = script.machine.parent.handles;
  if (named !== undefined && named !== handles) return false;
  const words = wordsOf(profile, handles);
  return (script.of ?? []).every((word) => words.has(word));
}

function wordsOf(profile: MdevHostName, handles: Parent['handles']): ReadonlySet<string> {
  const { host, mdev } = platformOf(profile);
  if (mdev === undefined) throw new Error(`${profile} has no mediated devices`);
  const words: Word[] = [
    mdev.allocation,
    ...(mdev.allocation === 'per-vector' ? [] : (['all-at-once'] as const)),
    mdev.permSync,
    `unbound-${mdev.noTranslation}`,
    mdev.defaultPasid,
    `released-by-${mdev.releaseBy}`,
    host.dynamicMsix ? 'dynamic' : 'static',
    handles === 'requested' ? 'handles-requested' : 'handles-any',
  ];
  return new Set(words);
}

export function mdevScenario({ script: { machine, lines }, profile, handles }: MdevCase): Scenario {
  const parent: Parent = { ...machine.parent, handles };
  const config: Config = { ...platformOf(profile), parent, devices: machine.devices };
  const operations = lines.map(([what]) => what).filter((what) => !isQuestion(what));
  return { config, operations: operations.map(parseOperation) };
}

function isQuestion(what: string): boolean {
  return what.startsWith('? ');
}

/** What a script expects, line by line. */
export function mdevExpected({ script, profile, handles }: MdevCase): readonly string[] {
  const words = wordsOf(profile, handles);
  return script.lines.map(([what, expected = 'ok']) => `${what} -> ${expectedBy(expected, words)}`);
}

function expectedBy(expected: Expected, words: ReadonlySet<string>): string {
  if (typeof expected === 'string') return expected;
  const holds = ([key]: readonly [string, string]): boolean =>
    key === 'else' || key.split(' ').every((word) => words.has(word));
  const found = Object.entries(expected).find(holds);
  if (found === undefined) throw new Error(`nothing is expected where ${[...words].join(', ')}`);
  return found[1];
}

/** What a run did, in the words of a script. */
export function mdevTold({ script: { lines } }: MdevCase, trace: Trace): readonly string[] {
  const picture = emptyPicture();
  look(picture, trace.initial, trace.initialParent);
  let place = 0;
  return lines.map(([what]) => {
    if (isQuestion(what)) return `${what} -> ${ask(picture, what.slice('? '.length))}`;
    const step = trace.steps[place];
    place += 1;
    if (step === undefined) return `${what} -> no answer`;
    look(picture, step.observation, step.parent);
    return `${what} -> ${answerOf(step)}`;
  });
}

function answerOf({ outcome, events }: Step): string {
  return [printOutcome(outcome), ...events.map(printEvent)].join(', ');
}
