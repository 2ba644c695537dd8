import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { HarnessError, type Platform, type Scenario, type System, type Trace } from '#vocabulary';
import { expectationsOf } from '../expected.ts';
import { hasMdevs, isSupportedConfig } from '../generators/pci-function.ts';
import { scenarios } from '../generators/scenario.ts';
import type { Invariant, InvariantId } from '../invariants/invariant.ts';
import { CoverageTally, NO_COVERAGE } from './coverage.ts';
import { suits } from './defaults.ts';
import { expectationScenario } from './expectation-scenario.ts';
import { isUnforeseenEnd, lockstep, type Terms } from './lockstep.ts';
import type { CampaignResult, Finding, Judgement, ViolationCount } from './verdict.ts';

export interface CampaignPlan {
  readonly system: System;
  readonly profile: string;
  readonly platform: Platform;
  readonly subjectProfile: string;
  readonly subjectPlatform: Platform;
  readonly invariants: readonly Invariant[];
  readonly seed: number;
  /** Scenarios of the whole campaign, before it is sharded. */
  readonly scenarios: number;
  /** Longest scenario, in operations; the generators know what is good when left open. */
  readonly lengthMax: number | undefined;
  /** Wall-clock seconds after which no new scenario is started. */
  readonly seconds: number;
  /** This part of `count`, from 1. */
  readonly shard: { readonly index: number; readonly count: number };
  /** Ends the campaign with what was found so far. */
  readonly stop: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly scenarios: number;
  readonly operations: number;
  readonly findings: number;
}

/** Scenarios that fast-check draws from one seed: the unit of sharding, and of looking at the clock. */
const BLOCK_SCENARIOS = 50;
/** Distinct findings after which a campaign ends: more would say the same thing again. */
const FINDINGS_MAX = 5;
/** Seconds for shrinking one finding, in a campaign that has more. */
const SHRINK_SECONDS = 20;

/** A failure of one kind, as first met. */
interface Failure {
  readonly scenario: Scenario;
  readonly judgement: Judgement;
}

/** An expected violation as met: drawn, if one was, and else the story of its expectation, which is short already. */
interface Example extends Failure {
  readonly isStory: boolean;
}

/** Drives one system through generated scenarios beside the reference, and shrinks what does not hold. */
export async function campaign(plan: CampaignPlan): Promise<CampaignResult> {
  const startedAt = performance.now();
  const tally = new Tally();
  try {
    await replayExpectations(plan, tally);
    await drawScenarios(plan, tally, startedAt + plan.seconds * 1000);
    const findings = await shrinkFailures(plan, tally);
    return result(plan, tally, findings, startedAt);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { ...result(plan, tally, [], startedAt), verdict: 'errored', reason: error.message };
  }
}

/** Known history first: each expectation has a story that must still show it. */
async function replayExpectations(plan: CampaignPlan, tally: Tally): Promise<void> {
  for (const expectation of expectationsOf(plan.profile, plan.system.name)) {
    const asked = plan.invariants.some(({ id }) => id === expectation.invariant);
    if (!asked && expectation.invariant !== 'conformance') continue;
    const scenario = expectationScenario(expectation, plan.platform);
    // A system without the device of the story cannot show it.
    if (lacks(plan.system, scenario) !== null) continue;
    tally.expect(expectation.invariant, expectation.clause);
    tally.add(scenario, await lockstep(plan.system, scenario, terms(plan)), true);
  }
}

/**
 * As many scenarios at once as the system can run; they are counted in the order in which they were drawn, whichever is
 * ready first.
 */
async function drawScenarios(plan: CampaignPlan, tally: Tally, deadline: number): Promise<void> {
  const over = (): boolean => plan.stop.aborted || performance.now() >= deadline || tally.failures.size >= FINDINGS_MAX;
  const drawn = drawBlocks(plan);
  const waiting = new Map<number, { readonly scenario: Scenario; readonly judgement: Judgement }>();
  let next = 0;
  let counted = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!over() && !failed) {
      const { value: scenario } = drawn.next();
      if (scenario === undefined) return;
      const place = next;
      next += 1;
      waiting.set(place, { scenario, judgement: await lockstep(plan.system, scenario, terms(plan)) });
      for (let ready = waiting.get(counted); ready !== undefined; ready = waiting.get(counted)) {
        tally.add(ready.scenario, ready.judgement, false);
        waiting.delete(counted);
        counted += 1;
        if (counted % BLOCK_SCENARIOS === 0)
          plan.onProgress({ scenarios: tally.scenarios, operations: tally.operations, findings: tally.failures.size });
      }
    }
  };
  const stopping = (): Promise<void> =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    });
  const ended = await Promise.allSettled(Array.from({ length: plan.system.atOnce }, stopping));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}

/** The scenarios of this shard, block by block, so that they are the same whatever the number of shards. */
function* drawBlocks(plan: CampaignPlan): Generator<Scenario, undefined> {
  const { index, count } = plan.shard;
  const arbitrary = scenarios(plan.system.support, plan.platform, plan.lengthMax);
  for (let block = index - 1; block * BLOCK_SCENARIOS < plan.scenarios; block += count) {
    const numRuns = Math.min(BLOCK_SCENARIOS, plan.scenarios - block * BLOCK_SCENARIOS);
    yield* fc.sample(arbitrary, { seed: blockSeed(plan.seed, block), numRuns });
  }
}

/** The seed of a block: the same for every number of shards. */
function blockSeed(seed: number, block: number): number {
  return createHash('sha256').update(`${seed} ${block}`).digest().readInt32LE();
}

function terms(plan: CampaignPlan): Terms {
  const { profile, invariants, subjectPlatform } = plan;
  return { profile, invariants, subjectPlatform };
}

/** What a system lacks for a scenario, in words, or null when it has all. */
export function lacks({ support }: System, { config, operations }: Scenario): string | null {
  if (config.mdev !== undefined && !hasMdevs(support)) return 'has no mediated devices';
  if (!suits(support, config)) return config.vmm === undefined ? 'has a VMM' : 'has no such VMM';
  const strange = operations.findIndex(({ kind }) => !support.operations.has(kind));
  if (strange !== -1) return `cannot be asked ${operations[strange]?.kind} (operation ${strange})`;
  const { devices } = config;
  if (devices.length > support.devicesMax) return `has at most ${support.devicesMax} devices, got ${devices.length}`;
  const missing = devices.findIndex(
    (_, last) => !isSupportedConfig({ ...config, devices: devices.slice(0, last + 1) }, support),
  );
  return missing === -1 ? null : `has no function for device ${missing}: ${JSON.stringify(devices[missing])}`;
}

/** Each distinct failure, and one example of each expected violation, as short as fast-check makes it. */
async function shrinkFailures(plan: CampaignPlan, tally: Tally): Promise<Finding[]> {
  const findings: Finding[] = [];
  const failures = [...tally.failures].map(
    ([signature, failure]) => [signature, { ...failure, isStory: false }] as const,
  );
  for (const [signature, { isStory, ...failure }] of [...failures, ...tally.expectedExamples]) {
    const shrunk = isStory ? failure : await shrink(plan, signature, failure);
    findings.push({
      id: createHash('sha256').update(`${plan.system.name} ${plan.profile} ${signature}`).digest('hex').slice(0, 8),
      verdict: verdictOf(signature),
      system: plan.system.name,
      profile: plan.profile,
      subjectProfile: plan.subjectProfile,
      seed: plan.seed,
      ...shrunk,
    });
  }
  return findings;
}

/**
 * Lets fast-check shrink a scenario as long as it shows the same thing. One that does not show it again is kept as it
 * was.
 */
async function shrink(plan: CampaignPlan, signature: string, failure: Failure): Promise<Failure> {
  const deadline = performance.now() + Math.min(SHRINK_SECONDS, plan.seconds / 4) * 1000;
  let shortest = failure;
  const property = fc.asyncProperty(scenarios(plan.system.support, plan.platform, plan.lengthMax), async (scenario) => {
    if (performance.now() > deadline) return true;
    const judgement = await lockstep(plan.system, scenario, terms(plan));
    if (!signatures(scenario, judgement).includes(signature)) return true;
    shortest = { scenario, judgement: keep(judgement) };
    return false;
  });
  const details = await fc.check(property, { examples: [[failure.scenario]], numRuns: 1 });
  if (details.errorInstance instanceof HarnessError) throw details.errorInstance;
  return shortest;
}

/** A Trace belongs to its system until that system's next run, so a judgement that is kept is copied. */
function keep(judgement: Judgement): Judgement {
  return structuredClone(judgement);
}

/** What kinds of failure a judgement shows: two failures of one kind are told once. */
function signatures({ operations }: Scenario, { divergences, violations, subject }: Judgement): readonly string[] {
  if (isUnforeseenEnd(subject, violations)) return ['unknown'];
  const unexpected = violations.filter(({ expectedBy }) => expectedBy === null).map(({ invariant }) => invariant);
  const expected = violations.flatMap(({ invariant, expectedBy }) =>
    expectedBy === null ? [] : [`expected ${invariant} ${expectedBy}`],
  );
  return [
    ...new Set([
      ...divergenceSignature(operations, divergences),
      ...unexpected.map((id) => `violation ${id}`),
      ...expected,
    ]),
  ];
}

/**
 * The first divergence stands for those that follow from it; one before the first operation for itself alone.
 * Numbers are left out, so that one fault is one finding and shrinking is free to change them.
 */
function divergenceSignature(operations: Scenario['operations'], divergences: Judgement['divergences']): string[] {
  const atStart = divergences.find(({ step }) => step === -1);
  const afterwards = divergences.find(({ step }) => step >= 0);
  return [atStart, afterwards].flatMap((first) => (first === undefined ? [] : [signatureOf(operations, first)]));
}

function signatureOf(operations: Scenario['operations'], first: Judgement['divergences'][number]): string {
  const kind = operations[first.step]?.kind ?? 'start';
  return `divergence ${kind} ${first.path} ${first.expected} / ${first.got}`.replace(/\d+/g, 'N');
}

function verdictOf(signature: string): Finding['verdict'] {
  const [word] = signature.split(' ');
  if (word === 'divergence' || word === 'violation' || word === 'unknown' || word === 'expected') return word;
  throw new Error(`no verdict begins with ${word}`);
}

/** What a campaign has counted. */
class Tally {
  scenarios = 0;
  operations = 0;
  divergences = 0;
  readonly coverage = new CoverageTally();
  readonly clauses = new Map<string, number>();
  /** By signature, as first met. */
  readonly failures = new Map<string, Failure>();
  readonly expectedExamples = new Map<string, Example>();
  /** Scenarios by violation. */
  readonly #violations = new Map<string, { invariant: InvariantId; clause: string | null; count: number }>();

  expect(invariant: InvariantId, clause: string): void {
    this.#violations.set(violationKey(invariant, clause), { invariant, clause, count: 0 });
  }

  add(scenario: Scenario, judgement: Judgement, isStory: boolean): void {
    this.scenarios += 1;
    this.operations += scenario.operations.length;
    if (judgement.divergences.length > 0) this.divergences += 1;
    this.coverage.add(scenario, judgement.reference);
    this.#countClauses(judgement.reference);
    this.#countViolations(judgement);
    for (const signature of signatures(scenario, judgement))
      this.#remember(signature, { scenario, judgement, isStory });
  }

  violations(findings: readonly Finding[]): ViolationCount[] {
    return [...this.#violations.values()].map(({ invariant, clause, count }) => ({
      invariant,
      clause,
      count,
      findings: findings
        .filter(({ judgement }) =>
          judgement.violations.some((shown) => shown.invariant === invariant && shown.expectedBy === clause),
        )
        .map(({ id }) => id),
    }));
  }

  #countClauses({ steps }: Trace): void {
    const reached = new Set<string>();
    for (const { clauses } of steps) for (const clause of clauses) reached.add(clause);
    for (const clause of reached) this.clauses.set(clause, (this.clauses.get(clause) ?? 0) + 1);
  }

  #countViolations({ violations }: Judgement): void {
    const shown = new Map(
      violations.map(({ invariant, expectedBy }) => [
        violationKey(invariant, expectedBy),
        { invariant, clause: expectedBy },
      ]),
    );
    for (const [key, violation] of shown) {
      const count = this.#violations.get(key)?.count ?? 0;
      this.#violations.set(key, { ...violation, count: count + 1 });
    }
  }

  #remember(signature: string, { isStory, scenario, judgement }: Example): void {
    if (verdictOf(signature) !== 'expected') {
      if (!this.failures.has(signature)) this.failures.set(signature, { scenario, judgement: keep(judgement) });
      return;
    }
    const known = this.expectedExamples.get(signature);
    if (known !== undefined && (isStory || !known.isStory)) return;
    this.expectedExamples.set(signature, { isStory, scenario, judgement: keep(judgement) });
  }
}

function violationKey(invariant: InvariantId, clause: string | null): string {
  return `${invariant} ${clause}`;
}

function result(plan: CampaignPlan, tally: Tally, findings: readonly Finding[], startedAt: number): CampaignResult {
  const violations = tally.violations(findings);
  const broken = findings.some(({ verdict }) => verdict !== 'expected');
  const noLongerOccurs = violations.some(({ clause, count }) => clause !== null && count === 0);
  return {
    system: plan.system.name,
    profile: plan.profile,
    verdict: broken || noLongerOccurs ? 'fail' : 'pass',
    scenarios: tally.scenarios,
    operations: tally.operations,
    seconds: (performance.now() - startedAt) / 1000,
    divergences: tally.divergences,
    violations,
    findings,
    clauses: Object.fromEntries(tally.clauses),
    coverage: tally.coverage.counts(plan.system.support, plan.platform),
  };
}

/** The result of a system that was not tested. */
export function untested(system: string, verdict: 'skipped' | 'errored', reason: string): CampaignResult {
  return {
    system,
    profile: '-',
    verdict,
    reason,
    scenarios: 0,
    operations: 0,
    seconds: 0,
    divergences: 0,
    violations: [],
    findings: [],
    clauses: {},
    coverage: NO_COVERAGE,
  };
}
