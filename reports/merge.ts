import { addCoverage } from '../properties/runner/coverage.ts';
import { shownIn, united } from '../properties/runner/kept.ts';
import type { CampaignResult, Finding, RunResult, Shard, ViolationCount } from '../properties/runner/verdict.ts';
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
 * @throws SummaryError where the same scenarios are there twice: what is counted twice says nothing
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
    ...mergedReason(pieces),
  };
  if (missing.length === 0) return { result: sum, missing };
  const held = `${counted(sum.scenarios, 'scenario')} of the rest ${sum.scenarios === 1 ? 'was' : 'were'} run`;
  const gone = missing.map((words) => `${words} missing`).join(', ');
  const why = [gone, held, ...(sum.reason === undefined ? [] : [sum.reason])].join('; ');
  // A harness that has failed on what is there is told as that.
  if (sum.verdict === 'errored') return { result: { ...sum, reason: why }, missing };
  const incomplete = { ...sum, missing: missing.map((words) => words.replace(/ (is|are)$/, '')) };
  return {
    result: sum.verdict === 'fail' ? incomplete : { ...incomplete, verdict: 'errored', reason: why },
    missing,
  };
}

/** What each part gives as its reason; with its shard where they do not all say the same. */
function mergedReason(pieces: readonly Piece[]): Pick<CampaignResult, 'reason'> {
  const told = pieces.flatMap(({ from, result: { reason } }) =>
    reason === undefined ? [] : [{ reason, shard: `shard ${from.run.shard.index} of ${from.run.shard.count}` }],
  );
  const [first] = told;
  if (first === undefined) return {};
  const isOne =
    pieces.length === 1 || (told.length === pieces.length && told.every((one) => one.reason === first.reason));
  return { reason: isOne ? first.reason : told.map(({ reason, shard }) => `${shard}: ${reason}`).join('; ') };
}

/** The shards that are not there: `shard 2 of 3 of seed 5 is`. */
function missingShards(pieces: readonly Piece[]): readonly string[] {
  requireApart(pieces);
  const runs = new Map<string, { seed: number; count: number; present: Set<number> }>();
  for (const { from } of pieces) {
    const { seed, shard } = from.run;
    const key = JSON.stringify([seed, shard.count]);
    const run = runs.get(key) ?? { seed, count: shard.count, present: new Set() };
    runs.set(key, run);
    run.present.add(shard.index);
  }
  return [...runs.values()].flatMap(({ seed, count, present }) => {
    const absent = Array.from({ length: count }, (_, place) => place + 1).filter((index) => !present.has(index));
    if (absent.length === 0) return [];
    return [`${enumerated('shard', absent)} of ${count} of seed ${seed} ${absent.length === 1 ? 'is' : 'are'}`];
  });
}

/** @throws SummaryError where two parts have run the same scenarios */
function requireApart(pieces: readonly Piece[]): void {
  for (const [place, { from, result }] of pieces.entries()) {
    const { seed, shard } = from.run;
    const before = pieces.slice(0, place).find(({ from: { run } }) => run.seed === seed && overlap(run.shard, shard));
    if (before === undefined) continue;
    const other = before.from.run.shard;
    const what = `${result.system} on ${result.profile}, seed ${seed}, shard ${shard.index} of ${shard.count}`;
    const where = `${before.from.file}${other.count === shard.count ? '' : `, shard ${other.index} of ${other.count}`}`;
    throw new SummaryError(`${from.file}: ${what} is in ${where} too: expected each once`);
  }
}

/** Whether a block belongs to both: shards of N blocks apart and of M have one in common at the same place. */
function overlap(left: Shard, right: Shard): boolean {
  return (left.index - right.index) % commonDivisor(left.count, right.count) === 0;
}

function commonDivisor(left: number, right: number): number {
  return right === 0 ? left : commonDivisor(right, left % right);
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
