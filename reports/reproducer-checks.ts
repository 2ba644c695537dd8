import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  type DeviceObservation,
  isEventfdName,
  PENDING,
  printEvent,
  printOutcome,
  printRegisters,
  type Step,
  type Trace,
  UNMASKED,
} from '#vocabulary';
import type { Divergence, Finding, JudgedViolation } from '../properties/runner/verdict.ts';

/** What a program on the ioctl interface can see of a step. */
export type Look =
  | 'result'
  | 'signalled'
  | 'irqs'
  | 'triggers'
  | 'unmasked'
  | 'address 0'
  | 'pending'
  | 'MSI-X'
  | 'MSI-X flags'
  | 'registers';

/** One thing that a program looks at, and what it expects to see there. */
export interface Check {
  /** Whether the fault shows when it is not as expected; else it is only something on the way. */
  readonly atIssue: boolean;
  readonly look: Look;
  /** The device that is looked at, for all but `result` and `signalled`. */
  readonly device: number;
  readonly expected: string;
}

/** A finding that no program on the ioctl interface can show: why. */
export class Untellable extends Error {
  override readonly name = 'Untellable';
}

/** What is looked at before the first operation (-1) and after each one. */
export type Checks = ReadonlyMap<number, readonly Check[]>;

/**
 * What a program looks at. Where the system answered otherwise than the reference, the reference is what is expected;
 * where both broke a promise, what the promise says; of a scenario that held, every answer is at issue.
 * @throws Untellable
 */
export function checksOf(finding: Finding): Checks {
  const { reference, divergences, violations } = finding.judgement;
  const atIssue =
    divergences.length > 0 ? divergences.flatMap(ofDivergence(finding)) : violations.flatMap(ofViolation(finding));
  if (atIssue.length === 0 && divergences.length > 0)
    throw new Untellable(`what differs is nothing that a call shows: ${divergences[0]?.path.replaceAll(/\s+/g, ' ')}`);
  if (atIssue.length === 0 && violations.length > 0) throw new Untellable(untold(violations));
  const isHeld = divergences.length === 0 && violations.length === 0;
  const eventfds = finding.scenario.operations.some(
    (operation) => 'eventfd' in operation || (operation.kind === 'vfio.setIrqs' && operation.data.some(isEventfdName)),
  );
  const checks = new Map<number, readonly Check[]>([[-1, issuesAt(-1, atIssue)]]);
  for (const [index, step] of reference.steps.entries()) {
    const issues = issuesAt(index, atIssue);
    const usual: readonly Check[] = [
      { atIssue: isHeld, look: 'result', device: 0, expected: printOutcome(step.outcome) },
      ...(eventfds ? [{ atIssue: isHeld, look: 'signalled' as const, device: 0, expected: signals(step) }] : []),
    ];
    const others = usual.filter(({ look }) => issues.every((issue) => issue.look !== look));
    checks.set(
      index,
      [...others, ...issues].sort((left, right) => order(left) - order(right)),
    );
  }
  return checks;
}

interface Issue extends Check {
  readonly step: number;
}

function issuesAt(step: number, issues: readonly Issue[]): readonly Check[] {
  const here = issues.filter((issue) => issue.step === step);
  return here
    .filter(
      ({ look, device }, place) => here.findIndex((other) => other.look === look && other.device === device) === place,
    )
    .map(({ step: _, ...check }) => check);
}

/** The result first, then signals, then the state. */
function order({ look }: Check): number {
  return look === 'result' ? 0 : look === 'signalled' ? 1 : 2;
}

/** The eventfds signalled, as the program tells them. */
function signals({ events }: Pick<Step, 'events'>): string {
  return (
    events
      .filter(({ kind }) => kind === 'signalled')
      .map(printEvent)
      .join(', ') || 'none'
  );
}

function ofDivergence({ scenario, judgement: { reference } }: Finding): (divergence: Divergence) => readonly Issue[] {
  return ({ step, path, expected, got }) => {
    const answer = reference.steps[step];
    const about = { atIssue: true, step, device: 0 } as const;
    if (path === 'outcome') return [{ ...about, look: 'result', expected }];
    if (path === 'events')
      return answer === undefined ? [] : [{ ...about, look: 'signalled', expected: signals(answer) }];
    const [, place = '', what = ''] = /^device (\d+) (.+)$/.exec(path) ?? [];
    const device = Number(place);
    if (device >= scenario.config.devices.length) return [];
    return looksOf(what, expected, got).map((look) => ({
      ...about,
      look,
      device,
      expected: lookAt(reference, step, device, look),
    }));
  };
}

function looksOf(what: string, expected: string, got: string): readonly Look[] {
  if (what === 'enable' || what === 'function mask') return ['MSI-X'];
  if (what === 'MSI-X flags' || what === 'registers') return [what];
  const [left, right] = [expected.split(' '), got.split(' ')];
  return STATE_LOOKS.filter(({ word }) => left.includes(word) !== right.includes(word)).map(({ look }) => look);
}

const STATE_LOOKS = [
  { look: 'irqs', word: 'allocated', bit: ALLOCATED },
  { look: 'triggers', word: 'armed', bit: ARMED },
  { look: 'unmasked', word: 'unmasked', bit: UNMASKED },
  { look: 'pending', word: 'pending', bit: PENDING },
  { look: 'address 0', word: 'address-0', bit: ADDRESS_0 },
] as const;

/** What the program should have seen at a step: no system kept the promise, so it is not in the record. */
function ofViolation(finding: Finding): (violation: JudgedViolation) => readonly Issue[] {
  return (violation) => {
    if (violation.invariant === 'noresize-error-unchanged') return unchanged(finding, violation);
    return violation.invariant === 'no-lost-interrupt' ? signalled(finding, violation) : [];
  };
}

/** Everything that the failed request changed, as it was before. */
function unchanged({ scenario, judgement: { subject } }: Finding, { step }: JudgedViolation): readonly Issue[] {
  const operation = scenario.operations[step];
  if (operation?.kind !== 'vfio.setIrqs' || subject.steps[step]?.outcome.kind !== 'errno') return [];
  const { device } = operation;
  const looks: readonly Look[] = ['registers', ...STATE_LOOKS.map(({ look }) => look)];
  return looks.flatMap((look) => {
    const expected = lookAt(subject, step - 1, device, look);
    return expected === lookAt(subject, step, device, look) ? [] : [{ atIssue: true, step, look, device, expected }];
  });
}

/** The signals of the step and those owed: one for each vector that raised on the way and has its trigger again. */
function signalled(finding: Finding, { step }: JudgedViolation): readonly Issue[] {
  const { scenario, judgement } = finding;
  const operation = scenario.operations[step];
  const answer = judgement.subject.steps[step];
  if (operation?.kind !== 'vfio.setIrqs' || answer === undefined) return [];
  const counts = new Map<string, number>();
  for (const event of answer.events) if (event.kind === 'signalled') counts.set(event.eventfd, event.count);
  const owed = owedVectors(finding, step, operation.device);
  for (const vector of owed) {
    const name = operation.data[vector - operation.start];
    if (isEventfdName(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const expected = [...counts]
    .sort(([left], [right]) => Number(left.slice(1)) - Number(right.slice(1)))
    .map(([name, count]) => `${name} +${count}`)
    .join(', ');
  return owed.length === 0 ? [] : [{ atIssue: true, step, look: 'signalled', device: 0, expected }];
}

/** The vectors of which an event is lost by a step, each once: their events would have merged. */
function owedVectors({ judgement }: Finding, step: number, device: number): readonly number[] {
  const causes = new Set(
    judgement.violations
      .filter(({ invariant, step: shown }) => invariant === 'no-lost-interrupt' && shown === step)
      .flatMap(({ causes: those }) => those),
  );
  const raised = [...causes].flatMap((cause) => judgement.subject.steps[cause]?.events ?? []);
  const vectors = raised.flatMap((event) => (event.kind === 'raised' && event.device === device ? [event.vector] : []));
  return [...new Set(vectors)];
}

function untold(violations: readonly JudgedViolation[]): string {
  const broken = [...new Set(violations.map(({ invariant }) => invariant))].join(', ');
  return `the reference breaks the promise as well, and what ${broken} asks for is not one answer of one call`;
}

/** What the program sees when it looks at a device after a step, -1 for before the first. */
function lookAt(trace: Trace, step: number, device: number, look: Look): string {
  const seen = [trace.initial, ...trace.steps.map(({ observation }) => observation)].slice(0, step + 2);
  const last = seen.at(-1)?.[device];
  if (last === undefined) return 'none';
  const state = STATE_LOOKS.find((candidate) => candidate.look === look);
  if (state !== undefined)
    return listOf(
      seen.flatMap((observation) => observation[device] ?? []),
      state.bit,
    );
  if (look === 'MSI-X') return `${last.enable ? 'on' : 'off'}${last.functionMask ? ', function masked' : ''}`;
  return look === 'registers' ? printRegisters(last.registers) : String(last.msixInfoFlags);
}

/** `0-3 7`, or `none` */
function listOf(observations: readonly DeviceObservation[], bit: number): string {
  const states = new Map(observations.flatMap(({ changes }) => changes.map(({ vector, state }) => [vector, state])));
  const vectors = [...states].filter(([, state]) => (state & bit) !== 0).map(([vector]) => vector);
  const runs: { first: number; last: number }[] = [];
  for (const vector of vectors.sort((left, right) => left - right)) {
    const run = runs.at(-1);
    if (run?.last === vector - 1) run.last = vector;
    else runs.push({ first: vector, last: vector });
  }
  return runs.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(' ') || 'none';
}
