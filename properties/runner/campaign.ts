import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { HarnessError, type Platform, type Scenario, type System } from '#vocabulary';
import { expectationsOf } from '../expected.ts';
import { hasMdevs, isSupportedConfig } from '../generators/pci-function.ts';
import type { Invariant } from '../invariants/invariant.ts';
import { BLOCK_SCENARIOS, type Drawing, drawBlock, judgeBlock } from './block.ts';
import { NO_COVERAGE } from './coverage.ts';
import {
  askForBlock,
  askForShortest,
  type CampaignTold,
  type Crew,
  type CrewWorker,
  type Piece,
  share,
} from './crew.ts';
import { suits } from './defaults.ts';
import { expectationScenario } from './expectation-scenario.ts';
import { inOrder } from './in-order.ts';
import { lockstep, type Terms } from './lockstep.ts';
import { type ShortFailure, shortestFailure } from './shortest.ts';
import { verdictOf } from './signature.ts';
import { type Failure, Tally, type TallyPart } from './tally.ts';
import { together } from './together.ts';
import type { CampaignResult, Finding } from './verdict.ts';

export interface CampaignPlan extends Drawing {
  readonly profile: string;
  readonly subjectProfile: string;
  readonly subjectPlatform: Platform;
  readonly invariants: readonly Invariant[];
  /** Wall-clock seconds after which no new scenario is started. */
  readonly seconds: number;
  /** This part of `count`, from 1. */
  readonly shard: { readonly index: number; readonly count: number };
  /**
   * Processes that do a part of the work, of a system in the process itself; null where there are none. What is found
   * is the same.
   */
  readonly crew: Crew | null;
  /** Ends the campaign with what was found so far. */
  readonly stop: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly scenarios: number;
  readonly operations: number;
  readonly findings: number;
}

/** Scenarios that a system does not live through after which a campaign ends: each costs a new start, or a time-out. */
const ENDS_MAX = 3;

/** Failures as short as they get, by their kind. */
type Shortened = Map<string, ShortFailure>;

/** Drives one system through generated scenarios beside the reference, and shrinks what does not hold. */
export async function campaign(plan: CampaignPlan): Promise<CampaignResult> {
  const startedAt = performance.now();
  const tally = new Tally(plan);
  try {
    await replayExpectations(plan, tally);
    const shortened: Shortened = new Map();
    await drawScenarios(plan, tally, shortened, startedAt + plan.seconds * 1000);
    const findings = await shrinkFailures(plan, tally, shortened);
    return result(plan, tally, findings, startedAt);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { ...result(plan, tally, [], startedAt), verdict: 'errored', reason: error.message };
  }
}

/** Known history first: each expectation has a story that must still show it. Of several shards the first tells it. */
async function replayExpectations(plan: CampaignPlan, tally: Tally): Promise<void> {
  if (plan.shard.index > 1) return;
  for (const expectation of expectationsOf(plan.profile, plan.system.name)) {
    if (tally.unforeseenEnds >= ENDS_MAX) return;
    const asked = plan.invariants.some(({ id }) => id === expectation.invariant);
    if (!asked && expectation.invariant !== 'conformance') continue;
    const scenario = expectationScenario(expectation, plan.platform);
    // A system without the device of the story cannot show it.
    if (lacks(plan.system, scenario) !== null) continue;
    tally.expect(expectation.invariant, expectation.clause);
    tally.add(scenario, await lockstep(plan.system, scenario, terms(plan)), null);
  }
}

/**
 * The scenarios of this shard, until there are no more or no more time. What was found does not end it: shards know
 * nothing of each other, and their sum must be what the whole would have been.
 */
function drawScenarios(plan: CampaignPlan, tally: Tally, shortened: Shortened, deadline: number): Promise<void> {
  const isOver = (): boolean => plan.stop.aborted || performance.now() >= deadline;
  if (plan.crew === null) return drawSingly(plan, tally, isOver);
  return drawShared(plan, plan.crew, tally, shortened, isOver);
}

/**
 * As many scenarios at once as the system can run; they are counted in the order in which they were drawn, whichever is
 * ready first. A system that has ended without anybody's foreseeing it is asked one by one from then on: one that hangs
 * in each scenario would have to be waited for as often as it was asked.
 */
async function drawSingly(plan: CampaignPlan, tally: Tally, isOver: () => boolean): Promise<void> {
  const drawn = drawBlocks(plan);
  let next = 0;
  let counted = 0;
  let ended = tally.unforeseenEnds >= ENDS_MAX;
  const count = inOrder((one: Failure) => {
    if (ended) return;
    tally.add(one.scenario, one.judgement, one.drawn);
    counted += 1;
    ended = tally.unforeseenEnds >= ENDS_MAX;
    if (counted % BLOCK_SCENARIOS === 0) tell(plan, tally);
  });
  const lane = async (isFirst: boolean): Promise<void> => {
    while (!ended && !isOver() && (isFirst || tally.unforeseenEnds === 0)) {
      const { value } = drawn.next();
      if (value === undefined) return;
      const place = next;
      next += 1;
      count(place, { ...value, judgement: await lockstep(plan.system, value.scenario, terms(plan)) });
      // Whoever runs us wants to be heard now and then, if only to end this.
      if (next % BLOCK_SCENARIOS === 0) await setImmediate();
    }
  };
  const lanes = Array.from({ length: plan.system.atOnce }, (_, place) => () => lane(place === 0));
  await together(lanes, () => (ended = true));
}

/**
 * Block by block, by the crew and by this process; they are added in their order, whichever is ready first. What is
 * found is shortened meanwhile, by the crew alone: it takes long, and who adds the blocks must not be away for long.
 */
async function drawShared(
  plan: CampaignPlan,
  crew: Crew,
  tally: Tally,
  shortened: Shortened,
  isOver: () => boolean,
): Promise<void> {
  const { index, count } = plan.shard;
  const told = campaignTold(plan);
  const known = (): string[] => tally.known().map(([signature]) => signature);
  const add = inOrder((part: TallyPart) => {
    tally.merge(part);
    tell(plan, tally);
  });
  let next = 0;
  const blockAt = (place: number): number => index - 1 + place * count;
  const hasNext = (): boolean => !isOver() && blockAt(next) * BLOCK_SCENARIOS < plan.scenarios;
  const nextBlock = (): Piece | undefined => {
    if (!hasNext()) return undefined;
    const place = next;
    const block = blockAt(place);
    next += 1;
    return {
      here: async () => add(place, await judgeBlock(plan, terms(plan), block, known())),
      by: async (worker) =>
        add(place, await askForBlock(worker, { kind: 'block', campaign: told, block, known: known() })),
    };
  };
  const begun = new Set<string>();
  /** Workers that shorten, until the last that each was asked for is done: they answer in order. */
  const shortening = new Map<CrewWorker, Promise<void>>();
  const nextFailure = (): Pick<Piece, 'by'> | undefined => {
    const found = tally.known().find(([signature]) => !begun.has(signature));
    if (found === undefined || isOver()) return undefined;
    const [signature, failure] = found;
    begun.add(signature);
    return {
      by: async (worker) => {
        const done = shorteningOf(plan, signature, failure, shortened).by(worker);
        shortening.set(worker, done);
        await done;
        if (shortening.get(worker) === done) shortening.delete(worker);
      },
    };
  };
  /** A worker that shortens is asked for no block: that would be late, and all after it with it. */
  const nextFor = (worker: CrewWorker): Pick<Piece, 'by'> | undefined => {
    const failure = nextFailure();
    if (failure !== undefined) return failure;
    const before = shortening.get(worker);
    if (before === undefined) return nextBlock();
    return hasNext() ? { by: () => before } : undefined;
  };
  await share(crew, nextBlock, nextFor);
}

function shorteningOf(plan: CampaignPlan, signature: string, failure: Failure, shortened: Shortened): Piece {
  return {
    here: async () =>
      void shortened.set(signature, await shortestFailure({ ...plan, terms: terms(plan) }, signature, failure)),
    by: async (worker) => {
      const question = { kind: 'shrink', campaign: campaignTold(plan), signature, failure } as const;
      shortened.set(signature, await askForShortest(worker, question));
    },
  };
}

function campaignTold(plan: CampaignPlan): CampaignTold {
  const { system, platform, profile, subjectPlatform, seed, scenarios: whole, lengthMax, seconds } = plan;
  const invariants = plan.invariants.map(({ id }) => id);
  const drawing = { system: system.name, platform, seed, scenarios: whole, lengthMax };
  return { ...drawing, profile, subjectPlatform, invariants, seconds };
}

function tell({ onProgress }: CampaignPlan, { scenarios: done, operations, failures }: Tally): void {
  onProgress({ scenarios: done, operations, findings: failures.size });
}

/** The scenarios of this shard, block by block, so that they are the same whatever the number of shards. */
function* drawBlocks(plan: CampaignPlan): Generator<Pick<Failure, 'scenario' | 'drawn'>, undefined> {
  const { index, count } = plan.shard;
  for (let block = index - 1; block * BLOCK_SCENARIOS < plan.scenarios; block += count)
    for (const [place, scenario] of drawBlock(plan, block).entries())
      yield { scenario, drawn: block * BLOCK_SCENARIOS + place };
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

/** Each distinct failure, and one example of each expected violation, as short as it gets. */
async function shrinkFailures(plan: CampaignPlan, tally: Tally, shortened: Shortened): Promise<Finding[]> {
  const failures = [...tally.failures, ...tally.expectedExamples];
  const isStory = (signature: string, { drawn }: Failure): boolean =>
    drawn === null && verdictOf(signature) === 'expected';
  const left = failures
    .filter(([signature, failure]) => !shortened.has(signature) && !isStory(signature, failure))
    .map(([signature, failure]) => shorteningOf(plan, signature, failure, shortened));
  const next = (): Piece | undefined => left.shift();
  if (plan.crew === null) for (const piece of left) await piece.here();
  else await share(plan.crew, next, next);
  return failures.map(([signature, failure]) => findingOf(plan, signature, shortened.get(signature) ?? failure));
}

function findingOf(plan: CampaignPlan, signature: string, { drawn, ...shrunk }: ShortFailure): Finding {
  return {
    id: createHash('sha256').update(`${plan.system.name} ${plan.profile} ${signature}`).digest('hex').slice(0, 8),
    verdict: verdictOf(signature),
    system: plan.system.name,
    profile: plan.profile,
    subjectProfile: plan.subjectProfile,
    seed: plan.seed,
    ...(drawn === null ? {} : { drawn }),
    ...shrunk,
  };
}

function result(plan: CampaignPlan, tally: Tally, findings: readonly Finding[], startedAt: number): CampaignResult {
  const violations = tally.violations(findings);
  const broken = findings.some(({ verdict }) => verdict !== 'expected');
  const noLongerOccurs = violations.some(({ clause, count }) => clause !== null && count === 0);
  const { skips, scenarios: asked } = tally;
  const left = `${skips.length} of ${asked} scenarios were left at what the system does not do`;
  const heldOrBroken = broken || noLongerOccurs ? 'fail' : 'pass';
  return {
    system: plan.system.name,
    profile: plan.profile,
    // Where nothing at all was answered there is nothing that held, and nothing that no longer occurs.
    verdict: skips.length > 0 && tally.operations === 0 ? 'skipped' : heldOrBroken,
    ...(skips.length > 0 ? { reason: `${left}, the first: ${skips[0]}` } : {}),
    scenarios: tally.scenarios,
    operations: tally.operations,
    seconds: (performance.now() - startedAt) / 1000,
    divergences: tally.divergences,
    violations,
    findings,
    clauses: Object.fromEntries(tally.clauses),
    coverage: tally.coverage.counts(plan.system.support, plan.platform),
    witnesses: tally.witnesses.counts(),
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
    witnesses: [],
  };
}
