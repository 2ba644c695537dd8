import { randomInt } from 'node:crypto';
import { availableParallelism, release } from 'node:os';
import { HarnessError, type Platform, type System, type SystemFactory } from '#vocabulary';
import { DEFAULT_SYSTEMS } from '../impl/index.ts';
import { isStdioName } from '../impl/stdio/system.ts';
import {
  nearestHost,
  PROFILES_IN_WORDS,
  type ProfileName,
  platformOf,
  profileNamed,
  profileOf,
} from '../model/profiles.ts';
import { INVARIANTS, isInvariantId } from '../properties/invariants/index.ts';
import type { Invariant } from '../properties/invariants/invariant.ts';
import { campaign, untested } from '../properties/runner/campaign.ts';
import { Crew } from '../properties/runner/crew.ts';
import { isReal, profilesFor, scenariosFor, suits } from '../properties/runner/defaults.ts';
import { growthCosts } from '../properties/runner/growth-cost.ts';
import { probe } from '../properties/runner/probe.ts';
import type { CampaignResult, Environment, RunResult, Shard } from '../properties/runner/verdict.ts';
import { OWN_COMMAND } from '../reports/own-command.ts';
import { ProgressLine } from '../reports/progress.ts';
import { SHARDS_MAX } from '../reports/read-summary.ts';
import { companionsIn, findingFile } from '../reports/recorded.ts';
import { DEFAULT_OUT, pageFile, reportRun, summaryFile } from '../reports/run-reports.ts';
import {
  EXIT,
  factoryOf,
  makeRoom,
  oneOf,
  optional,
  parse,
  requireReady,
  stopOnInterrupt,
  UsageError,
  wholeNumber,
} from './arguments.ts';
import { GROWTH_VECTORS } from './bench.ts';
import { palette, unlikeProfiles, wordsOf } from './shown.ts';

/** A ready real system that nobody named gets a short share of the run. */
const SECONDS_REAL_UNNAMED = 2;

/** Scenarios of a campaign for which it is worth while to start other processes. */
const CREW_SCENARIOS = 1000;
/** Of a long one: scenarios, some hundred thousand for each process, or seconds. */
const LONG_SCENARIOS = 500_000;
const LONG_SECONDS = 20;

interface RunOptions {
  readonly systems: readonly string[] | undefined;
  readonly profiles: readonly ProfileName[];
  readonly invariants: readonly Invariant[];
  readonly runs: number | undefined;
  readonly lengthMax: number | undefined;
  readonly seed: number;
  readonly seconds: number | undefined;
  readonly shard: Shard;
  readonly json: string | undefined;
  readonly junit: string | undefined;
  readonly ctrf: string | undefined;
  /** GitHub names this file in the environment of a job. */
  readonly stepSummary: string | undefined;
  readonly out: string;
  readonly modules: string | undefined;
}

function runOptions(args: readonly string[]): RunOptions {
  const { values } = parse(args, {
    system: { type: 'string', multiple: true },
    profile: { type: 'string', multiple: true },
    invariant: { type: 'string', multiple: true },
    runs: { type: 'string' },
    length: { type: 'string' },
    seed: { type: 'string' },
    time: { type: 'string' },
    shard: { type: 'string' },
    json: { type: 'string' },
    junit: { type: 'string' },
    ctrf: { type: 'string' },
    out: { type: 'string' },
    modules: { type: 'string' },
  });
  return {
    systems: values.system === undefined ? undefined : [...new Set(values.system)],
    profiles: (values.profile ?? []).map(chosenProfile),
    invariants: chosenInvariants(values.invariant),
    runs: optional(values.runs, (text) => wholeNumber('--runs', text, 1, 1e9)),
    lengthMax: optional(values.length, (text) => wholeNumber('--length', text, 1, 10_000)),
    seed: optional(values.seed, (text) => wholeNumber('--seed', text, 0, 0xffffffff)) ?? randomInt(0x100000000),
    seconds: optional(values.time, (text) => wholeNumber('--time', text, 1, 1e6)),
    shard: optional(values.shard, parseShard) ?? { index: 1, count: 1 },
    json: values.json,
    junit: values.junit,
    ctrf: values.ctrf,
    stepSummary: process.env['GITHUB_STEP_SUMMARY'] || undefined,
    out: values.out ?? DEFAULT_OUT,
    modules: values.modules,
  };
}

function chosenProfile(name: string): ProfileName {
  const profile = profileNamed(name);
  if (profile === undefined) throw new UsageError(`--profile: expected one of ${PROFILES_IN_WORDS}; got ${name}`);
  return profile;
}

function chosenInvariants(names: readonly string[] | undefined): readonly Invariant[] {
  if (names === undefined) return INVARIANTS;
  const ids = names.map((name) =>
    oneOf(
      '--invariant',
      name,
      INVARIANTS.map(({ id }) => id),
    ),
  );
  return INVARIANTS.filter(({ id }) => isInvariantId(id) && ids.includes(id));
}

function parseShard(text: string): RunOptions['shard'] {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match === null || index < 1 || index > count || count > SHARDS_MAX)
    throw new UsageError(`--shard: expected I/N with I from 1 to N, N at most ${SHARDS_MAX}, got ${text}`);
  return { index, count };
}

/** A campaign on each system and profile. */
export async function run(args: readonly string[]): Promise<number> {
  const options = runOptions(args);
  const factories = (options.systems ?? DEFAULT_SYSTEMS).map((name) => factoryOf(name, options.modules));
  const required = options.systems !== undefined || process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';
  if (required) for (const factory of factories) requireReady(factory);
  const { out, json, junit, ctrf, stepSummary } = options;
  // What lies beside the page and cannot be read is told before anything has run.
  companionsIn(out);
  for (const file of [summaryFile(out), pageFile(out), findingFile(out, 'any'), json, junit, ctrf])
    if (file !== undefined) makeRoom(file);
  if (stepSummary !== undefined) makeRoom(stepSummary, 'append');
  const startedAt = new Date();
  const stop = stopOnInterrupt();
  const results: CampaignResult[] = [];
  const crew = crewFor(options);
  try {
    for (const factory of factories) {
      if (!stop.aborted) results.push(...(await runSystem(factory, options, crew, stop)));
    }
  } finally {
    crew?.end();
  }
  const outcome: RunResult = {
    seed: options.seed,
    shard: options.shard,
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    environment: environmentHere(),
    command: commandOf(args, options.seed),
    invariants: options.invariants.map(({ id }) => id),
    results,
  };
  process.stdout.write(
    reportRun(outcome, options, wordsOf(outcome.invariants), palette(), growthCosts(GROWTH_VECTORS)),
  );
  if (stop.aborted) process.stdout.write('Interrupted: this is what was found so far.\n');
  if (results.some(({ verdict }) => verdict === 'fail')) return EXIT.broken;
  return results.some(({ verdict }) => verdict === 'errored') ? EXIT.harness : EXIT.held;
}

/** Those that help with each campaign: nobody where it is over before they are ready. */
function crewFor({ runs, seconds }: RunOptions): Crew | null {
  if (runs !== undefined && runs < CREW_SCENARIOS) return null;
  const isLong = runs === undefined ? (seconds ?? 0) >= LONG_SECONDS : runs >= LONG_SCENARIOS;
  return new Crew(isLong ? 'long' : 'short');
}

function environmentHere(): Environment {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    kernel: release(),
    cpus: availableParallelism(),
  };
}

/** What was typed, with the seed that was drawn where none was. */
function commandOf(args: readonly string[], seed: number): string {
  const isNamed = args.some((arg) => arg === '--seed' || arg.startsWith('--seed='));
  const words = isNamed ? args : [...args, '--seed', String(seed)];
  return [`${OWN_COMMAND} run`, ...words.map(quoted)].join(' ');
}

/** A word as a shell reads it back. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** All campaigns on one system; it is started once. */
async function runSystem(
  factory: SystemFactory,
  options: RunOptions,
  crew: Crew | null,
  stop: AbortSignal,
): Promise<CampaignResult[]> {
  const readiness = factory.readiness();
  if (!readiness.ready) return [untested(factory.name, 'skipped', `${readiness.reason}; ${readiness.command}`)];
  let system: System | undefined;
  try {
    system = await factory.start();
    const own = system.support.host === 'own' ? await probe(system) : undefined;
    const results: CampaignResult[] = [];
    const profiles = chosenProfiles(system, own, options);
    if (profiles.length === 0) {
      const reason = `cannot be like ${options.profiles.join(', ')}`;
      return [untested(factory.name, 'skipped', `${reason}; nobody named it`)];
    }
    const share = SECONDS_REAL_UNNAMED / profiles.length;
    for (const profile of profiles) {
      if (!stop.aborted) results.push(await runProfile(system, own, profile, options, share, crew, stop));
    }
    return results;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return [untested(factory.name, 'errored', error.message)];
  } finally {
    await system?.close();
  }
}

/** The profiles named, of which a system that nobody named takes what suits it; else every one it can behave as. */
function chosenProfiles(
  system: System,
  own: Platform | undefined,
  { systems, profiles: named }: RunOptions,
): readonly ProfileName[] {
  const suitable = named.filter((profile) => suits(system.support, platformOf(profile)));
  const strange = named.find((profile) => !suitable.includes(profile));
  if (strange !== undefined && systems !== undefined)
    throw new UsageError(`--profile: ${system.name} cannot be like ${strange}`);
  if (named.length > 0) return suitable;
  if (own === undefined) return profilesFor(system);
  const profile = profileOf(own);
  if (profile === undefined)
    throw new HarnessError(
      `${system.name} ${unlikeProfiles(own.host)}; --profile ${nearestHost(own.host)} holds it against that`,
    );
  return [profile];
}

async function runProfile(
  system: System,
  own: Platform | undefined,
  profile: ProfileName,
  options: RunOptions,
  share: number,
  crew: Crew | null,
  stop: AbortSignal,
): Promise<CampaignResult> {
  const platform = platformOf(profile);
  const unbounded = options.runs === undefined && options.seconds !== undefined;
  const short = isReal(system) && options.systems === undefined && options.runs === undefined && !unbounded;
  const label = system.name === profile ? profile : `${system.name} ${profile}`;
  const progress = new ProgressLine(label, process.stderr);
  const result = await campaign({
    system,
    profile,
    platform,
    subjectProfile: own === undefined ? profile : (profileOf(own) ?? 'unnamed'),
    subjectPlatform: own ?? platform,
    invariants: options.invariants,
    seed: options.seed,
    scenarios: options.runs ?? (unbounded ? Number.MAX_SAFE_INTEGER : scenariosFor(system, platform)),
    lengthMax: options.lengthMax,
    seconds: options.seconds ?? (short ? share : Number.POSITIVE_INFINITY),
    shard: options.shard,
    // A program of somebody else's is started once: whether two of it go together nobody has said.
    crew: isReal(system) || isStdioName(system.name) ? null : crew,
    stop,
    onProgress: (now) => progress.show(now),
  });
  progress.end({ ...result, findings: result.findings.filter(({ verdict }) => verdict !== 'expected').length });
  return own === undefined ? result : { ...result, probed: { host: own.host, profile: profileOf(own) ?? null } };
}
