#!/usr/bin/env node
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { HarnessError, type Platform, type System, type SystemFactory } from '#vocabulary';
import { DEFAULT_SYSTEMS, SYSTEM_NAMES, systemFactory } from './impl/index.ts';
import { measureRates, PATTERNS } from './impl/linux/rates.ts';
import { allClauses } from './model/clauses.ts';
import { PROFILES_IN_WORDS, type ProfileName, platformOf, profileNamed, profileOf } from './model/profiles.ts';
import { EXPECTATIONS } from './properties/expected.ts';
import { INVARIANTS, isInvariantId } from './properties/invariants/index.ts';
import type { Invariant } from './properties/invariants/invariant.ts';
import { bench } from './properties/runner/bench.ts';
import { campaign, lacks, untested } from './properties/runner/campaign.ts';
import { isReal, profilesFor, scenariosFor, suits } from './properties/runner/defaults.ts';
import { growthCosts } from './properties/runner/growth-cost.ts';
import { lockstep, verdictOf } from './properties/runner/lockstep.ts';
import { probe } from './properties/runner/probe.ts';
import { RecordError, type Recorded, readRecorded } from './properties/runner/record.ts';
import type { CampaignResult, Finding, RunResult } from './properties/runner/verdict.ts';
import { clausesText } from './reports/clauses-text.ts';
import type { Glossary } from './reports/glossary.ts';
import { growthText } from './reports/growth-text.ts';
import { heldText } from './reports/held-text.ts';
import { ANSI, type Palette, PLAIN } from './reports/palette.ts';
import { printable } from './reports/printable.ts';
import { ProgressLine } from './reports/progress.ts';
import { rateLine } from './reports/rates-text.ts';
import { readReached, SummaryError } from './reports/read-summary.ts';
import { DEFAULT_OUT, reportRun, summaryFile } from './reports/run-reports.ts';
import { findingText } from './reports/text.ts';
import { makeFolder, shownPath } from './reports/write.ts';

const USAGE = `vfio-irq: conformance of VFIO interrupts

  run [--system NAME]... [--profile NAME]... [--invariant ID]... [--runs N] [--length N] [--seed N] [--time SECONDS]
      [--shard I/N] [--json FILE] [--junit FILE] [--out DIR] [--modules DIR]
                      a campaign; this is what happens without a command
  replay FILE [--system NAME] [--modules DIR]
                      a scenario or a finding again, on the same or another system
  systems             every system: ready or not, and the command that makes it ready
  clauses [--out DIR] the rules of the model with their sources, and which the last run there reached
  rates [--system NAME]... [--time SECONDS] [--modules DIR]
                      how often a real kernel loses an event while its interrupts are changed, on one processor and on
                      two, SECONDS for each way to change them: counts, never a verdict
  bench               the parts of a campaign against each other, and what growth costs under each VMM

  systems     ${SYSTEM_NAMES.join(', ')}, linux:PATH (a kernel .deb, or an image with --modules
              DIR), qemu:PATH (a program), qemu:PATH/irqfd
  profiles    ${PROFILES_IN_WORDS}
  invariants  ${INVARIANTS.map(({ id }) => id).join(', ')}
`;

/** Exit codes: what scripts rely on. */
const EXIT = { held: 0, broken: 1, usage: 2, unavailable: 3, harness: 4 } as const;

/** A ready real system that nobody named gets a short share of the run. */
const SECONDS_REAL_UNNAMED = 2;
/** Vectors whose growth is counted: more tell the same, and 2,048 take seconds. */
const GROWTH_VECTORS: readonly number[] = [8, 64, 256];
/** For one way to change interrupts. */
const SECONDS_RATE = 10;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

async function main(args: readonly string[]): Promise<number> {
  const [word = 'run', ...rest] = args;
  if (word === '--help' || word === '-h' || word === 'help') {
    process.stdout.write(USAGE);
    return EXIT.held;
  }
  if (word.startsWith('--')) return run(args);
  if (word === 'run') return run(rest);
  if (word === 'replay') return replay(rest);
  if (word === 'systems') return systems(rest);
  if (word === 'clauses') return clauses(rest);
  if (word === 'rates') return rates(rest);
  if (word === 'bench') return measure(rest);
  throw new UsageError(
    `command: expected run, replay, systems, clauses, rates or bench, got ${word} (--help lists them)`,
  );
}

// --- run ---------------------------------------------------------------------------------------------------------

interface RunOptions {
  readonly systems: readonly string[] | undefined;
  readonly profiles: readonly ProfileName[];
  readonly invariants: readonly Invariant[];
  readonly runs: number | undefined;
  readonly lengthMax: number | undefined;
  readonly seed: number;
  readonly seconds: number | undefined;
  readonly shard: { readonly index: number; readonly count: number };
  readonly json: string | undefined;
  readonly junit: string | undefined;
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
  if (match === null || index < 1 || index > count)
    throw new UsageError(`--shard: expected I/N with I from 1 to N, got ${text}`);
  return { index, count };
}

async function run(args: readonly string[]): Promise<number> {
  const options = runOptions(args);
  const factories = (options.systems ?? DEFAULT_SYSTEMS).map((name) => factoryOf(name, options.modules));
  const required = options.systems !== undefined || process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';
  if (required) for (const factory of factories) requireReady(factory);
  for (const file of [summaryFile(options.out), options.json, options.junit]) if (file !== undefined) makeRoom(file);
  const startedAt = new Date();
  const stop = stopOnInterrupt();
  const results: CampaignResult[] = [];
  for (const factory of factories) {
    if (!stop.aborted) results.push(...(await runSystem(factory, options, stop)));
  }
  const outcome: RunResult = {
    seed: options.seed,
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    results,
  };
  process.stdout.write(reportRun(outcome, options, glossary(), palette(), growthCosts(GROWTH_VECTORS)));
  if (stop.aborted) process.stdout.write('Interrupted: this is what was found so far.\n');
  if (results.some(({ verdict }) => verdict === 'fail')) return EXIT.broken;
  return results.some(({ verdict }) => verdict === 'errored') ? EXIT.harness : EXIT.held;
}

/** All campaigns on one system; it is started once. */
async function runSystem(factory: SystemFactory, options: RunOptions, stop: AbortSignal): Promise<CampaignResult[]> {
  const readiness = factory.readiness();
  if (!readiness.ready) return [untested(factory.name, 'skipped', `${readiness.reason}; ${readiness.command}`)];
  let system: System | undefined;
  try {
    system = await factory.start();
    const own = system.support.host === 'own' ? await probe(system) : undefined;
    const results: CampaignResult[] = [];
    const profiles = chosenProfiles(system, own, options.profiles);
    const share = SECONDS_REAL_UNNAMED / profiles.length;
    for (const profile of profiles) {
      if (!stop.aborted) results.push(await runProfile(system, own, profile, options, share, stop));
    }
    return results;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return [untested(factory.name, 'errored', error.message)];
  } finally {
    await system?.close();
  }
}

/** The profiles named; else every one that the system can behave as, or its own. */
function chosenProfiles(
  system: System,
  own: Platform | undefined,
  named: readonly ProfileName[],
): readonly ProfileName[] {
  const strange = named.find((profile) => !suits(system.support, platformOf(profile)));
  if (strange !== undefined) throw new UsageError(`--profile: ${system.name} cannot be like ${strange}`);
  if (named.length > 0) return named;
  if (own === undefined) return profilesFor(system);
  const profile = profileOf(own);
  if (profile === undefined)
    throw new HarnessError(`${system.name} behaves like no profile: ${JSON.stringify(own)}; --profile names one`);
  return [profile];
}

async function runProfile(
  system: System,
  own: Platform | undefined,
  profile: ProfileName,
  options: RunOptions,
  share: number,
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
    stop,
    onProgress: (now) => progress.show(now),
  });
  progress.end({ ...result, findings: result.findings.filter(({ verdict }) => verdict !== 'expected').length });
  return own === undefined ? result : { ...result, probed: { host: own.host, profile: profileOf(own) ?? null } };
}

/** Makes the folder of a report before anything runs: a run whose results cannot be kept is not begun. */
function makeRoom(file: string): void {
  try {
    makeFolder(file);
  } catch (error) {
    throw new UsageError(`${file}: expected a place to write (${error instanceof Error ? error.message : error})`);
  }
}

function stopOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}

// --- reports -----------------------------------------------------------------------------------------------------

const palette = (): Palette => (process.stdout.isTTY === true ? ANSI : PLAIN);

function glossary(): Glossary {
  return { clauses: allClauses(), invariants: INVARIANTS, expectedViolations: EXPECTATIONS };
}

// --- replay ------------------------------------------------------------------------------------------------------

async function replay(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args, { system: { type: 'string' }, modules: { type: 'string' } }, true);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    throw new UsageError(`replay: expected one file, got ${positionals.length}`);
  const recorded = readRecorded(readText(file), file);
  const name = values.system ?? (recorded.kind === 'finding' ? recorded.finding.system : 'optimised');
  const factory = factoryOf(name, values.modules);
  requireReady(factory);
  const system = await factory.start();
  try {
    return await replayOn(system, recorded, file);
  } finally {
    await system.close();
  }
}

async function replayOn(system: System, recorded: Recorded, file: string): Promise<number> {
  const scenario = recorded.kind === 'finding' ? recorded.finding.scenario : recorded.scenario;
  const lacking = lacks(system, scenario);
  if (lacking !== null) throw new UnavailableError(`${system.name}: ${lacking}`);
  const profile = recorded.kind === 'finding' ? recorded.finding.profile : (profileOf(scenario.config) ?? 'unnamed');
  const subjectProfile = recorded.kind === 'finding' ? recorded.finding.subjectProfile : profile;
  const named = profileNamed(subjectProfile);
  const judgement = await lockstep(system, scenario, {
    profile,
    invariants: INVARIANTS,
    subjectPlatform: named === undefined ? scenario.config : platformOf(named),
  });
  const verdict = verdictOf(judgement);
  const id = recorded.kind === 'finding' ? recorded.finding.id : '00000000';
  const seed = recorded.kind === 'finding' ? recorded.finding.seed : 0;
  if (recorded.kind === 'finding')
    process.stdout.write(
      verdict === recorded.finding.verdict
        ? `The verdict is as recorded: ${verdict}.\n\n`
        : `Recorded on ${recorded.finding.system}: ${recorded.finding.verdict}; now on ${system.name}: ${verdict}.\n\n`,
    );
  if (verdict === 'held') process.stdout.write(`${heldText(scenario.operations, judgement.subject, system.name)}\n`);
  else {
    const finding: Finding = { id, verdict, system: system.name, profile, subjectProfile, seed, scenario, judgement };
    const replayCommand = `npm start -- replay ${shownPath(file)} --system ${system.name}`;
    process.stdout.write(`${findingText(finding, { ...glossary(), replayCommand, palette: palette() })}\n`);
  }
  return verdict === 'held' || verdict === 'expected' ? EXIT.held : EXIT.broken;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file}: expected a file to read (${error instanceof Error ? error.message : error})`);
  }
}

// --- systems -----------------------------------------------------------------------------------------------------

function systems(args: readonly string[]): number {
  parse(args, {});
  const width = Math.max(...SYSTEM_NAMES.map((name) => name.length));
  for (const name of SYSTEM_NAMES) {
    const readiness = factoryOf(name, undefined).readiness();
    const words = readiness.ready ? 'ready' : `not ready: ${readiness.reason}; ${readiness.command}`;
    process.stdout.write(`${readiness.ready ? '✓' : '–'} ${name.padEnd(width)}  ${words}\n`);
  }
  return EXIT.held;
}

function clauses(args: readonly string[]): number {
  const { values } = parse(args, { out: { type: 'string' } });
  const file = summaryFile(values.out ?? DEFAULT_OUT);
  const last = values.out !== undefined || existsSync(file) ? readReached(readText(file), file) : null;
  process.stdout.write(`${clausesText(allClauses(), last, palette())}\n`);
  return EXIT.held;
}

async function rates(args: readonly string[]): Promise<number> {
  const { values } = parse(args, {
    system: { type: 'string', multiple: true },
    time: { type: 'string' },
    modules: { type: 'string' },
  });
  const names = values.system ?? ['linux-6.1', 'linux-6.12'];
  for (const name of names) {
    if (!name.startsWith('linux')) throw new UsageError(`--system: expected a linux kernel, got ${name}`);
    requireReady(factoryOf(name, values.modules));
  }
  const seconds = optional(values.time, (text) => wholeNumber('--time', text, 1, 1e6)) ?? SECONDS_RATE;
  const options = values.modules === undefined ? {} : { modules: values.modules };
  for (const name of names)
    await measureRates(name, seconds, (rate) => process.stdout.write(`${rateLine(name, rate, PATTERNS)}\n`), options);
  return EXIT.held;
}

async function measure(args: readonly string[]): Promise<number> {
  parse(args, {});
  const profile = 'linux-6.12';
  const optimised = await factoryOf('optimised', undefined).start();
  for (const { what, against, operationsPerSecond, ratio } of await bench(optimised, profile, platformOf(profile))) {
    const speed = Math.round(operationsPerSecond).toLocaleString('en').padStart(10);
    process.stdout.write(
      `${speed} operations per second  ${what.padEnd(30)} ${ratio.toFixed(2)} times the time of ${against}\n`,
    );
  }
  process.stdout.write(`\n${growthText(growthCosts(GROWTH_VECTORS), palette())}\n`);
  return EXIT.held;
}

function factoryOf(name: string, modules: string | undefined): SystemFactory {
  const factory = systemFactory(name, modules);
  if (factory === undefined)
    throw new UsageError(`--system: expected one of ${SYSTEM_NAMES.join(', ')}, linux:PATH or qemu:PATH, got ${name}`);
  return factory;
}

function requireReady(factory: SystemFactory): void {
  const readiness = factory.readiness();
  if (!readiness.ready)
    throw new UnavailableError(`${factory.name}: not ready: ${readiness.reason}; ${readiness.command}`);
}

// --- arguments ---------------------------------------------------------------------------------------------------

type OptionTable = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

function parse<Options extends OptionTable>(args: readonly string[], options: Options, allowPositionals = false) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals, strict: true });
  } catch (error) {
    // parseArgs says what is wrong in its first sentence.
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error));
  }
}

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((candidate) => candidate === text);
  if (name === undefined) throw new UsageError(`${option}: expected one of ${names.join(', ')}, got ${text}`);
  return name;
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${option}: expected a whole number from ${least} to ${most}, got ${text}`);
}

function optional<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // A stack says something only of what nobody foresaw.
  const foreseen = process.exitCode !== EXIT.harness || error instanceof HarnessError;
  const words = error instanceof Error ? (foreseen ? error.message : error.stack) : error;
  process.stderr.write(`vfio-irq: ${printable(String(words))}\n`);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof RecordError || error instanceof SummaryError) return EXIT.usage;
  return error instanceof UnavailableError ? EXIT.unavailable : EXIT.harness;
}
