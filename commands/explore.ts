import { join } from 'node:path';
import { type Operation, printOperation } from '#vocabulary';
import { type ProfileName, profileNamed, profileOf } from '../model/profiles.ts';
import { referenceSystem } from '../model/reference.ts';
import { INVARIANTS } from '../properties/invariants/index.ts';
import type { InvariantId } from '../properties/invariants/invariant.ts';
import type { Counterexample, Exploration } from '../properties/runner/explore.ts';
import {
  explorations,
  SCOPE_PROFILES,
  type Scope,
  scopeAlphabet,
  scopeConfig,
} from '../properties/runner/explore-scopes.ts';
import { lockstep } from '../properties/runner/lockstep.ts';
import { readRecorded, writeScenario } from '../properties/runner/record.ts';
import { type ExploredBreach, type ExploredRow, exploreText } from '../reports/explore-text.ts';
import { machineLines } from '../reports/machine.ts';
import { storyLines } from '../reports/story.ts';
import { shownPath, writeWhole } from '../reports/write.ts';
import { EXIT, makeRoom, oneOf, optional, parse, readText, UsageError, wholeNumber } from './arguments.ts';
import { palette } from './shown.ts';

const VECTORS = 3;
/** Deeper than any configuration that closes. */
const DEPTH_MAX = 1_000_000;
/** In 24 MB, and at most 130 more for the set of those that are known, in every process. */
const STATES_MAX = 4_000_000;

/** Every reachable state of small configurations. */
export async function exploreCommand(args: readonly string[]): Promise<number> {
  const { values } = parse(args, {
    config: { type: 'string' },
    vectors: { type: 'string' },
    depth: { type: 'string' },
    invariant: { type: 'string', multiple: true },
    profile: { type: 'string', multiple: true },
    out: { type: 'string', default: 'reports/out' },
  });
  const ids = INVARIANTS.map(({ id }) => id);
  const invariants = (values.invariant ?? []).map((text) => oneOf('--invariant', text, ids));
  const vectors = optional(values.vectors, (text) => wholeNumber('--vectors', text, 1, 8));
  const depth = optional(values.depth, (text) => wholeNumber('--depth', text, 0, DEPTH_MAX)) ?? DEPTH_MAX;
  if (values.config !== undefined && (vectors !== undefined || values.profile !== undefined))
    throw new UsageError(`${vectors === undefined ? '--profile' : '--vectors'}: not with --config, whose file says it`);
  const scopes =
    values.config === undefined
      ? (values.profile?.map(profileGiven) ?? SCOPE_PROFILES).map((profile) =>
          scopeOf(profile, vectors ?? VECTORS, invariants),
        )
      : [scopeIn(values.config, invariants)];
  const folder = join(values.out, 'explore');
  makeRoom(join(folder, 'any'));
  const found = await explorations(scopes, { depth, states: STATES_MAX }, progress(scopes));
  if (process.stderr.isTTY === true) process.stderr.write('\r\x1b[2K');
  const rows: ExploredRow[] = [];
  for (const [place, scope] of scopes.entries()) {
    const exploration = found[place];
    if (exploration !== undefined) rows.push(await rowOf(scope, exploration, folder));
  }
  process.stdout.write(`${exploreText(rows, palette())}\n`);
  const unexpected = rows.some(({ broken }) => broken.some(({ expectedBy }) => expectedBy === null));
  return unexpected ? EXIT.broken : EXIT.held;
}

function profileGiven(text: string): ProfileName {
  const profile = profileNamed(text);
  if (profile === undefined) throw new UsageError(`--profile: expected the name of a profile (--help), got ${text}`);
  return profile;
}

function scopeOf(profile: ProfileName, vectors: number, invariants: readonly InvariantId[]): Scope {
  const config = scopeConfig(profile, vectors);
  requireCopies(profile, { config });
  return { profile, config, operations: null, invariants };
}

/** The scope that a file describes: its machine, and its operations where it has any. */
function scopeIn(file: string, invariants: readonly InvariantId[]): Scope {
  const recorded = readRecorded(readText(file), file);
  const { config, operations } = recorded.kind === 'scenario' ? recorded.scenario : recorded.finding.scenario;
  requireCopies(file, { config });
  return {
    profile: profileOf(config) ?? 'unnamed',
    config,
    operations: operations.length === 0 ? null : operations,
    invariants,
  };
}

function requireCopies(what: string, { config }: Pick<Scope, 'config'>): void {
  if (config.mdev === undefined || config.vmm === undefined) return;
  throw new UsageError(`${what}: expected functions, or mdevs without a VMM, got mdevs behind one, which are too many`);
}

/** On a terminal one line, of the scope that was heard of last. */
function progress(scopes: readonly Scope[]): Parameters<typeof explorations>[2] {
  return (place, { states, transitions, depth }) => {
    if (process.stderr.isTTY !== true) return;
    const sofar = `${states} states, ${transitions} transitions, depth ${depth}`;
    process.stderr.write(`\r\x1b[2K${scopes[place]?.profile}: ${sofar}`);
  };
}

async function rowOf(scope: Scope, found: Exploration, folder: string): Promise<ExploredRow> {
  const { config, profile } = scope;
  const alphabet = scopeAlphabet(scope);
  const broken: ExploredBreach[] = [];
  for (const [id, { known, broken: unexpected }] of found.verdicts) {
    for (const [clause, example] of known) broken.push(await breachOf(scope, id, clause, example, folder));
    if (unexpected !== null) broken.push(await breachOf(scope, id, null, unexpected, folder));
  }
  return {
    profile,
    machine: machineLines(config).join('; '),
    operations: alphabet.plain.length,
    windows: alphabet.armed.length > 0,
    ...found,
    full: found.states >= STATES_MAX,
    holds: [...found.verdicts].flatMap(([id, verdict]) =>
      verdict.broken === null && verdict.known.size === 0 ? [id] : [],
    ),
    broken,
  };
}

async function breachOf(
  { profile, config }: Scope,
  invariant: InvariantId,
  expectedBy: string | null,
  { operations, breach }: Counterexample,
  folder: string,
): Promise<ExploredBreach> {
  const scenario = { config, operations };
  const name = [profile, invariant, ...(expectedBy === null ? [] : [expectedBy])]
    .join('-')
    .replaceAll(/[^\w.+-]/g, '-');
  const file = join(folder, `${name}.json`);
  writeWhole(file, writeScenario(scenario));
  const judgement = await lockstep(referenceSystem(), scenario, { profile, invariants: INVARIANTS });
  return {
    invariant,
    message: breach.message,
    expectedBy,
    operations: operations.length,
    story: storyLines(
      operations.map((operation: Operation) => printOperation(operation)),
      judgement,
    ).join('\n'),
    file: shownPath(file),
  };
}
