import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, it, type TestContext } from 'vitest';
import { HarnessError, type Platform, type System, type SystemFactory } from '#vocabulary';
import { requireReady, UsageError } from './commands/arguments.ts';
import { unlikeProfiles, wordsOf } from './commands/shown.ts';
import { SYSTEM_NAMES, systemFactory } from './impl/index.ts';
import {
  nearestHost,
  PROFILES_IN_WORDS,
  type ProfileName,
  platformOf,
  profileNamed,
  profileOf,
} from './model/profiles.ts';
import { INVARIANTS, speaksOf } from './properties/invariants/index.ts';
import type { InvariantId } from './properties/invariants/invariant.ts';
import { campaign } from './properties/runner/campaign.ts';
import { profilesFor, scenariosFor, suits } from './properties/runner/defaults.ts';
import { probe } from './properties/runner/probe.ts';
import { writeFinding } from './properties/runner/record.ts';
import type { CampaignResult, Finding } from './properties/runner/verdict.ts';
import { findingFile } from './reports/recorded.ts';
import { DEFAULT_OUT, replayCommand } from './reports/run-reports.ts';
import { findingText } from './reports/text.ts';
import { writeWhole } from './reports/write.ts';

export * from '#vocabulary';
export type { InvariantId, ProfileName };

export interface ConformanceOptions {
  /** What is expected, a campaign for each. Left out: everything that the system can be, or how it says it behaves. */
  readonly profiles?: readonly ProfileName[];
  /** Scenarios for each profile, 1 or more. Left out: as many as `vfio-irq run` has. */
  readonly runs?: number;
  /** A whole number from 0 to 4294967295. Left out: another one each time, which a finding names. */
  readonly seed?: number;
  /** The promises that are asked about, besides that it answers as the reference does. Left out: all. */
  readonly invariants?: readonly Exclude<InvariantId, 'conformance'>[];
}

/** The system of the tests, once it runs. */
interface Started {
  readonly system: System;
  /** How it behaves itself, where it has a host of its own. */
  readonly own: Platform | undefined;
}

/** What was chosen, with nothing left open but what depends on the system. */
interface Chosen {
  readonly name: string;
  /** Whether the command line knows the system by its name. */
  readonly isNamed: boolean;
  readonly runs: number | undefined;
  readonly seed: number;
  readonly asked: readonly InvariantId[];
}

/**
 * Registers tests with vitest: for each profile one for each promise, and one that the system answers as the reference
 * does. Scenarios are drawn before the first of a profile; what fails is told as `vfio-irq run` tells it, and its
 * finding is written to `reports/out/findings`.
 * @param system a system, which is yours to close; or one that is started and closed here: a factory, or a name such as
 *   `stdio:./harness`
 * @throws Error for a name or a number that cannot be
 */
export function conformance(system: System | SystemFactory | string, options: ConformanceOptions = {}): void {
  const source = typeof system === 'string' ? checkedSystem(system) : system;
  const profiles = options.profiles?.map(checkedProfile);
  const chosen: Chosen = {
    name: source.name,
    isNamed: typeof system === 'string',
    runs: options.runs === undefined ? undefined : checkedNumber('runs', options.runs, 1, 1e9),
    seed: options.seed === undefined ? randomInt(2 ** 32) : checkedNumber('seed', options.seed, 0, 2 ** 32 - 1),
    asked: (options.invariants ?? INVARIANTS.map(({ id }) => id)).map(checkedInvariant),
  };
  describe(source.name, async () => {
    // A test that is never run starts nothing, unless it is the system that says what tests there are.
    const known = profiles ?? (await profilesOf(source));
    let started: Started | undefined;
    beforeAll(async () => {
      started = await startedOf(source);
    }, Number.POSITIVE_INFINITY);
    afterAll(async () => {
      if (started !== undefined) await end(source, started);
    }, Number.POSITIVE_INFINITY);
    for (const profile of known) {
      describe(profile, () => {
        registerTests(profile, chosen, () => {
          if (started === undefined) throw new Error(`${source.name} was not started`);
          return started;
        });
      });
    }
  });
}

function isFactory(source: System | SystemFactory): source is SystemFactory {
  return 'start' in source;
}

async function startedOf(source: System | SystemFactory): Promise<Started> {
  if (isFactory(source)) requireReady(source);
  const system = isFactory(source) ? await source.start() : source;
  return { system, own: system.support.host === 'own' ? await probe(system) : undefined };
}

async function end(source: System | SystemFactory, { system }: Started): Promise<void> {
  if (isFactory(source)) await system.close();
}

async function profilesOf(source: System | SystemFactory): Promise<readonly ProfileName[]> {
  const started = await startedOf(source);
  const { system, own } = started;
  try {
    if (own === undefined) return profilesFor(system);
    const profile = profileOf(own);
    if (profile !== undefined) return [profile];
    const nearest = nearestHost(own.host);
    throw new HarnessError(
      `${system.name} ${unlikeProfiles(own.host)}; profiles: ['${nearest}'] holds it against that`,
    );
  } finally {
    await end(source, started);
  }
}

function registerTests(profile: ProfileName, chosen: Chosen, start: () => Started): void {
  const platform = platformOf(profile);
  const invariants = INVARIANTS.filter(({ id }) => chosen.asked.includes(id));
  let result: CampaignResult | undefined;
  beforeAll(async () => {
    const { system, own } = start();
    if (!suits(system.support, platform)) throw new UsageError(`profiles: ${system.name} cannot be like ${profile}`);
    result = await campaign({
      ...{ system, profile, platform, invariants, seed: chosen.seed, lengthMax: undefined },
      subjectProfile: own === undefined ? profile : (profileOf(own) ?? 'unnamed'),
      subjectPlatform: own ?? platform,
      scenarios: chosen.runs ?? scenariosFor(system, platform),
      ...{ seconds: Number.POSITIVE_INFINITY, shard: { index: 1, count: 1 }, crew: null },
      ...{ stop: new AbortController().signal, onProgress: () => undefined },
    });
    for (const finding of result.findings) writeWhole(findingFile(DEFAULT_OUT, finding.id), writeFinding(finding));
  }, Number.POSITIVE_INFINITY);
  const test = (id: InvariantId, title: string): void => {
    it(`${id}: ${title}`, (context) => {
      if (result === undefined) throw new Error(`${chosen.name} was not driven`);
      tell(id, result, chosen, context);
    });
  };
  test('conformance', 'It answers as the reference does.');
  for (const invariant of invariants) if (speaksOf(invariant, platform)) test(invariant.id, invariant.promise);
}

/** Fails the test of a promise that was not kept, with its findings; leaves one of which nothing is known. */
function tell(id: InvariantId, result: CampaignResult, chosen: Chosen, { skip }: TestContext): void {
  if (result.verdict === 'errored') throw told(result.reason ?? 'the harness failed');
  if (result.verdict === 'skipped') skip(result.reason);
  const rows = result.violations.filter(({ invariant }) => invariant === id);
  const broken = rows.filter(({ clause, count }) => clause === null && count > 0);
  const over = rows.filter(({ clause, count }) => clause !== null && count === 0);
  const failing = result.findings.filter((finding) => isAbout(id, finding));
  const texts = [
    ...failing.map((finding) =>
      findingText(finding, { ...wordsOf(chosen.asked), replayCommand: again(finding, chosen) }),
    ),
    ...over.map(({ clause }) => `${clause} explains why it is broken on ${result.profile}, and no longer does`),
  ];
  if (texts.length > 0) throw told(texts.join('\n\n'));
  // That a system ended is all that is told of a scenario in which it did.
  const [row] = broken;
  if (row !== undefined) throw told(`${id} is broken in ${row.count} scenarios that it did not live through`);
}

/** Whoever differs from the reference, or does not live, does not conform. */
function isAbout(id: InvariantId, { verdict, judgement }: Finding): boolean {
  switch (verdict) {
    case 'divergence':
    case 'unknown':
      return id === 'conformance';
    case 'violation':
      return judgement.violations.some(({ invariant, expectedBy }) => invariant === id && expectedBy === null);
    case 'expected':
      return false;
  }
}

/** What repeats a finding: on a system without a name for the command line only the test itself can. */
function again(finding: Finding, { isNamed, seed }: Chosen): string {
  if (isNamed) return replayCommand(findingFile(DEFAULT_OUT, finding.id), finding);
  const runs = (finding.drawn ?? 0) + 1;
  return `conformance(system, { profiles: ['${finding.profile}'], seed: ${seed}, runs: ${runs} })`;
}

/** An error that is its message: where in this file it was thrown says nothing. */
function told(message: string): Error {
  const error = new Error(message);
  error.stack = message;
  return error;
}

function checkedSystem(name: string): SystemFactory {
  const factory = systemFactory(name);
  if (factory !== undefined) return factory;
  const names = `${SYSTEM_NAMES.join(', ')}, linux:PATH, qemu:PATH, stdio:COMMAND or mutant:ID`;
  throw new UsageError(`system: expected a System, a SystemFactory or one of ${names}; got ${name}`);
}

function checkedProfile(name: string): ProfileName {
  const profile = profileNamed(name);
  if (profile === undefined) throw new UsageError(`profiles: expected ${PROFILES_IN_WORDS}; got ${name}`);
  return profile;
}

function checkedInvariant(name: InvariantId): InvariantId {
  if (INVARIANTS.some(({ id }) => id === name)) return name;
  throw new UsageError(`invariants: expected some of ${INVARIANTS.map(({ id }) => id).join(', ')}; got ${name}`);
}

function checkedNumber(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`${option}: expected a whole number from ${least} to ${most}, got ${value}`);
}
