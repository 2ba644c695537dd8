import { addCoverage } from '../properties/runner/coverage.ts';
import { shownIn, united } from '../properties/runner/kept.ts';
import type { CampaignResult, Finding, RunResult, ViolationCount } from '../properties/runner/verdict.ts';
import { addWitnesses } from '../properties/runner/witnessed.ts';
import { counted, enumerated } from './layout.ts';
import { SummaryError } from './read-json.ts';
import { worstVerdict } from './scoreboard.ts';

/** A run, or a shard of one, with the file that it was read from. */
export interface RecordedRun {
  readonly file: string;
  readonly run: RunResult;
}

/** Several runs as one. */
export interface MergedRun {
  readonly run: RunResult;
  /** What has to be known before the sum is believed, a sentence each. */
  readonly remarks: readonly string[];
}

/** A result of one of the runs. */
interface Piece {
  readonly from: RecordedRun;
  readonly result: CampaignResult;
}

/**
 * Runs as one: counts of the same system and profile add up, findings are united. What is not there did not pass.
 * @throws SummaryError where the same shard is there twice: what is counted twice says nothing
 */
export function merged(first: RecordedRun, others: readonly RecordedRun[]): MergedRun {
  const parts = [first, ...others];
  const groups = new Map<string, readonly Piece[]>();
  for (const from of parts) {
    for (const result of from.run.results) {
      const key = JSON.stringify([result.system, result.profile]);
      groups.set(key, [...(groups.get(key) ?? []), { from, result }]);
    }
  }
  const results = [...groups.values()].map(mergedResult);
  const incomplete = results.filter(({ missing }) => missing.length > 0);
  const seeds = [...new Set(parts.map(({ run }) => run.seed))];
  const run: RunResult = {
    ...first.run,
    ...(parts.length === 1 ? {} : { shard: { index: 1, count: 1 }, command: wholeCommand(first.run.command) }),
    startedAt: parts.map((part) => part.run.startedAt).sort()[0] ?? first.run.startedAt,
    invariants: first.run.invariants.filter((id) => parts.every((part) => part.run.invariants.includes(id))),
    seconds: parts.reduce((sum, part) => sum + part.run.seconds, 0),
    results: results.map(({ result }) => result),
  };
  return {
    run,
    remarks: [
      ...(seeds.length === 1 ? [] : [`Runs with different seeds are added up: ${enumerated('seed', seeds)}.`]),
      ...missingWords(incomplete.map(({ missing }) => missing)),
    ],
  };
}

/** What runs all shards at once. */
function wholeCommand(command: string): string {
  return command.replace(/ --shard[ =]\S+/, '');
}

/** `Shard 2 of 3 of seed 5 is missing: 71 campaigns are incomplete.` */
function missingWords(missing: readonly (readonly string[])[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const words of missing.flat()) counts.set(words, (counts.get(words) ?? 0) + 1);
  return [...counts].map(([words, count]) => {
    const campaigns = count === 1 ? '1 campaign is incomplete' : `${counted(count, 'campaign')} are incomplete`;
    return `${words.charAt(0).toUpperCase()}${words.slice(1)} missing: ${campaigns}.`;
  });
}

/** What the same system did under the same profile. */
function mergedResult(pieces: readonly Piece[]): {
  readonly result: CampaignResult;
  readonly missing: readonly string[];
} {
  const results = pieces.map(({ result }) => result);
  const [first] = results;
  if (first === undefined) throw new Error('a group without a result');
  // Of a system that was not asked no shard is missing.
  const missing = results.every(({ verdict }) => verdict === 'skipped') ? [] : missingShards(pieces);
  const total = (of: (result: CampaignResult) => number): number => results.reduce((sum, one) => sum + of(one), 0);
  const findings = united(results.flatMap((result) => result.findings));
  const skipped = results.some(({ verdict }) => verdict === 'skipped');
  const sum: CampaignResult = {
    ...first,
    verdict: skipped && worstVerdict(results) === 'pass' ? 'skipped' : worstVerdict(results),
    scenarios: total(({ scenarios }) => scenarios),
    operations: total(({ operations }) => operations),
    seconds: total(({ seconds }) => seconds),
    divergences: total(({ divergences }) => divergences),
    violations: mergedViolations(
      results.flatMap(({ violations }) => violations),
      findings,
    ),
    findings,
    coverage: results.map(({ coverage }) => coverage).reduce(addCoverage),
    witnesses: addWitnesses(
      results.map(({ witnesses }) => witnesses),
      total(({ scenarios }) => scenarios),
    ),
    clauses: addedUp(results.map(({ clauses }) => clauses)),
    ...withReason(results.find(({ reason }) => reason !== undefined)?.reason),
  };
  if (missing.length === 0 || sum.verdict === 'fail') return { result: sum, missing };
  const held = `${counted(sum.scenarios, 'scenario')} of the rest were run`;
  return { result: { ...sum, verdict: 'errored', reason: `${missing.join(', ')} missing; ${held}` }, missing };
}

function withReason(reason: string | undefined): Pick<CampaignResult, 'reason'> {
  return reason === undefined ? {} : { reason };
}

/** The shards that are not there: `shard 2 of 3 of seed 5 is`. */
function missingShards(pieces: readonly Piece[]): readonly string[] {
  const runs = new Map<string, { seed: number; count: number; files: Map<number, string> }>();
  for (const { from, result } of pieces) {
    const { seed, shard } = from.run;
    const key = JSON.stringify([seed, shard.count]);
    const run = runs.get(key) ?? { seed, count: shard.count, files: new Map<number, string>() };
    runs.set(key, run);
    const before = run.files.get(shard.index);
    if (before !== undefined) {
      const what = `${result.system} on ${result.profile}, seed ${seed}, shard ${shard.index} of ${shard.count}`;
      throw new SummaryError(`${from.file}: ${what} is in ${before} too: expected each once`);
    }
    run.files.set(shard.index, from.file);
  }
  return [...runs.values()].flatMap(({ seed, count, files }) => {
    const absent = Array.from({ length: count }, (_, place) => place + 1).filter((index) => !files.has(index));
    if (absent.length === 0) return [];
    return [`${enumerated('shard', absent)} of ${count} of seed ${seed} ${absent.length === 1 ? 'is' : 'are'}`];
  });
}

function mergedViolations(
  violations: readonly ViolationCount[],
  findings: readonly Finding[],
): readonly ViolationCount[] {
  const sums = new Map<string, ViolationCount>();
  for (const violation of violations) {
    const key = JSON.stringify([violation.invariant, violation.clause]);
    const before = sums.get(key);
    const count = (before?.count ?? 0) + violation.count;
    sums.set(key, { ...violation, count, findings: shownIn(violation, findings) });
  }
  return [...sums.values()];
}

function addedUp(counts: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const [name, count] of counts.flatMap(Object.entries)) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries(sums);
}
