import { z } from 'zod';
import {
  type Config,
  type Errno,
  type Event,
  isAskable,
  isMdevOperation,
  type Observation,
  type Operation,
  type Outcome,
  type ParentObservation,
  REGISTERS_MASK,
  type Scenario,
  type Step,
  type Trace,
  VECTOR_STATE_MASK,
  type VmmCall,
  WINDOWS,
} from '#vocabulary';
import { INVARIANTS } from '../invariants/index.ts';
import type { InvariantId } from '../invariants/invariant.ts';
import { parentObservation } from './record-mdev.ts';
import { uint32 } from './record-number.ts';
import { config, eventfdName, operation, vmmOperation } from './record-operation.ts';
import type { Finding } from './verdict.ts';

/** A file that is not what it should be: what, where, what was expected, on one line. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

const SCENARIO_SCHEMA = 'vfio-irq/scenario@1';
const FINDING_SCHEMA = 'vfio-irq/finding@1';
const STEP_SCHEMA = 'vfio-irq/step@1';

const scenarioFile = z.strictObject({
  schema: z.literal(SCENARIO_SCHEMA),
  config,
  operations: z.array(operation),
});

const changes = z.array(z.strictObject({ vector: uint32, state: z.int().min(0).max(VECTOR_STATE_MASK) }));
const observation: z.ZodType<Observation> = z.array(
  z.strictObject({
    enable: z.boolean(),
    functionMask: z.boolean(),
    msixInfoFlags: uint32,
    registers: z.int().min(0).max(REGISTERS_MASK).default(0),
    changes,
    guest: z.strictObject({ enable: z.boolean(), functionMask: z.boolean(), changes }).exactOptional(),
  }),
);
const outcome: z.ZodType<Outcome> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ok') }),
  z.strictObject({ kind: z.literal('irqInfo'), flags: uint32, count: uint32 }),
  z.strictObject({ kind: z.literal('value'), value: uint32 }),
  z.strictObject({ kind: z.literal('status'), status: uint32 }),
  z.strictObject({
    kind: z.literal('errno'),
    errno: z.custom<Errno>((value) => typeof value === 'string' && /^(E[A-Z]+|errno \d+)$/.test(value), {
      message: 'expected an errno such as EINVAL',
    }),
  }),
  z.strictObject({ kind: z.literal('positive'), value: z.int().min(1) }),
  z.strictObject({ kind: z.literal('unknown'), reason: z.enum(['crash', 'time-out']) }),
]);
const event: z.ZodType<Event> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('raised'), device: z.int(), vector: uint32, window: z.enum(WINDOWS).nullable() }),
  z.strictObject({ kind: z.literal('completed'), device: z.int(), descriptor: uint32, status: uint32 }),
  z.strictObject({ kind: z.literal('error'), device: z.int(), pasid: uint32 }),
  z.strictObject({ kind: z.literal('revoked'), device: z.int() }),
  z.strictObject({ kind: z.literal('signalled'), eventfd: eventfdName, count: z.int().min(1) }),
  z.strictObject({
    kind: z.literal('message'),
    device: z.int(),
    address: uint32,
    high: uint32,
    data: uint32,
    count: z.int().min(1),
  }),
]);
const call: z.ZodType<VmmCall> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('vfio'), operation: vmmOperation, outcome }),
  z.strictObject({ kind: z.literal('kvm.setGsiRouting') }),
  z.strictObject({ kind: z.literal('kvm.irqfd'), eventfd: eventfdName, assign: z.boolean() }),
]);
const step: z.ZodType<Step> = z.strictObject({
  outcome,
  events: z.array(event),
  observation,
  parent: parentObservation.exactOptional(),
  calls: z.array(call).exactOptional(),
  clauses: z.array(z.string()),
});

const findingHeader = z.strictObject({
  schema: z.literal(FINDING_SCHEMA),
  id: z.string().regex(/^[0-9a-f]{8}$/),
  verdict: z.enum(['divergence', 'violation', 'unknown', 'expected']),
  system: z.string().min(1),
  profile: z.string().min(1),
  subjectProfile: z.string().min(1),
  seed: z.int(),
  drawn: z.int().min(0).exactOptional(),
  shortest: z.string().min(1).exactOptional(),
  config,
  initial: z.strictObject({
    reference: observation,
    subject: observation,
    parents: z
      .strictObject({ reference: parentObservation.exactOptional(), subject: parentObservation.exactOptional() })
      .exactOptional(),
  }),
  lastWords: z.string().exactOptional(),
  divergences: z.array(z.strictObject({ step: z.int(), path: z.string(), expected: z.string(), got: z.string() })),
  violations: z.array(
    z.strictObject({
      invariant: z.custom<InvariantId>(
        (value) => value === 'conformance' || INVARIANTS.some(({ id }) => id === value),
        {
          message: `expected one of conformance, ${INVARIANTS.map(({ id }) => id).join(', ')}`,
        },
      ),
      step: z.int(),
      causes: z.array(z.int()),
      message: z.string(),
      expectedBy: z.string().nullable(),
    }),
  ),
});
const findingStep = z.strictObject({
  schema: z.literal(STEP_SCHEMA),
  index: z.int(),
  operation,
  reference: step,
  subject: step.nullable(),
});

/** A finding as the text of a `.jsonl` file: a line about it, then one line for each operation with both answers. */
export function writeFinding({ scenario, judgement, ...about }: Finding): string {
  const { reference, subject, divergences, violations } = judgement;
  const header = {
    schema: FINDING_SCHEMA,
    ...about,
    config: scenario.config,
    initial: initialOf(reference, subject),
    ...(subject.lastWords === undefined ? {} : { lastWords: subject.lastWords }),
    divergences,
    violations,
  };
  const steps = scenario.operations.map((operation, index) => ({
    schema: STEP_SCHEMA,
    index,
    operation,
    reference: reference.steps[index],
    subject: subject.steps[index] ?? null,
  }));
  return `${[header, ...steps].map((line) => JSON.stringify(line)).join('\n')}\n`;
}

/** The state before the first operation; that of a parent only where there is one. */
function initialOf(reference: Trace, subject: Trace): object {
  const both = { reference: reference.initial, subject: subject.initial };
  const parents = { reference: reference.initialParent, subject: subject.initialParent };
  return parents.reference === undefined && parents.subject === undefined ? both : { ...both, parents };
}

/** A scenario as the text of a `.json` file. */
export function writeScenario({ config, operations }: Scenario): string {
  return `${JSON.stringify({ schema: SCENARIO_SCHEMA, config, operations }, null, 2)}\n`;
}

/** What a file to replay holds: a scenario on its own, or a finding with the answers it was found by. */
export type Recorded =
  | { readonly kind: 'scenario'; readonly scenario: Scenario }
  | { readonly kind: 'finding'; readonly finding: Finding };

/**
 * Reads a scenario (`.json`) or a finding (`.jsonl`).
 * @param file named in errors
 * @throws RecordError
 */
export function readRecorded(text: string, file: string): Recorded {
  if (text.trim() === '') throw new RecordError(`${file}: expected a scenario or a finding, got an empty file`);
  const whole = parseJson(text);
  if (whole !== undefined && schemaOf(whole) !== FINDING_SCHEMA) {
    const { config, operations } = check(scenarioFile, whole, file);
    const scenario = { config, operations };
    checkOperations(scenario, file);
    return { kind: 'scenario', scenario };
  }
  const [first = ''] = text.split('\n');
  if (parseJson(first) === undefined && first.length < text.trim().length) throw brokenJson(text, file);
  return { kind: 'finding', finding: readFinding(text, file) };
}

/** A file that is not even lines of JSON, with the place at which reading it as one piece ends. */
function brokenJson(text: string, file: string): RecordError {
  try {
    JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = Number(/at position (\d+)/.exec(message)?.[1] ?? text.length);
    const line = text.slice(0, position).split('\n').length;
    return new RecordError(`${file}, line ${line}: expected JSON (${message.replaceAll(/\s+/g, ' ')})`);
  }
  throw new Error('JSON that can be read was called broken');
}

function readFinding(text: string, file: string): Finding {
  const lines = text.trimEnd().split('\n');
  const values = lines.map((line, index) => {
    const value = parseJson(line);
    if (value === undefined) throw new RecordError(`${file}, line ${index + 1}: expected JSON, got ${excerpt(line)}`);
    return value;
  });
  const [first, ...rest] = values;
  const {
    schema: _,
    config,
    initial,
    lastWords,
    divergences,
    violations,
    ...about
  } = check(findingHeader, first, `${file}, line 1`);
  const steps = rest.map((value, index) => checkStep(value, index, file));
  checkPlaces(divergences, 'divergences', steps.length, file);
  checkPlaces(violations, 'violations', steps.length, file);
  const gap = steps.findIndex(({ subject }, index) => subject !== null && steps[index - 1]?.subject === null);
  if (gap >= 0) throw new RecordError(`${file}, line ${gap + 2}: subject: expected null, as on the line before`);
  const subjectSteps = steps.flatMap(({ subject }) => (subject === null ? [] : [subject]));
  const reference: Trace = {
    initial: initial.reference,
    ...withParent(initial.parents?.reference),
    steps: steps.map((line) => line.reference),
  };
  const subject: Trace = {
    initial: initial.subject,
    ...withParent(initial.parents?.subject),
    steps: subjectSteps,
    ...(lastWords === undefined ? {} : { lastWords }),
  };
  const scenario = { config, operations: steps.map((line) => line.operation) };
  checkOperations(scenario, file);
  return { ...about, scenario, judgement: { reference, subject, divergences, violations } };
}

/** What differs or broke is at an operation, or before the first: a file that was cut off lacks it. */
function checkPlaces(found: readonly { readonly step: number }[], what: string, steps: number, file: string): void {
  const place = found.findIndex(({ step }) => step < -1 || step >= steps);
  if (place < 0) return;
  const where = `${file}, line 1: ${what}[${place}].step`;
  throw new RecordError(`${where}: expected -1 to ${steps - 1}, got ${found[place]?.step}`);
}

function withParent(initialParent: ParentObservation | undefined): Pick<Trace, 'initialParent'> {
  return initialParent === undefined ? {} : { initialParent };
}

function checkStep(value: unknown, index: number, file: string): z.infer<typeof findingStep> {
  const where = `${file}, line ${index + 2}`;
  const line = check(findingStep, value, where);
  if (line.index !== index) throw new RecordError(`${where}: index: expected ${index}, got ${line.index}`);
  return line;
}

/** An operation that cannot be asked of the machine, or is about a device that the machine does not have. */
function checkOperations({ config, operations }: Scenario, file: string): void {
  const { devices } = config;
  for (const [index, operation] of operations.entries()) {
    const where = `${file}: operations[${index}]`;
    if ('device' in operation && operation.device >= devices.length) {
      throw new RecordError(`${where}.device: expected 0 to ${devices.length - 1}, got ${operation.device}`);
    }
    if (isAskable(config, operation.kind)) continue;
    throw new RecordError(`${where}: expected ${expectedOf(config, operation)}, got ${operation.kind}`);
  }
}

/** What could have been asked instead of what cannot be asked. */
function expectedOf({ mdev, vmm }: Config, operation: Operation): string {
  if (mdev === undefined && isMdevOperation(operation)) return 'nothing of mdevs, as the machine has none';
  if (vmm !== undefined) return "a guest's operation or the device's, as the machine has a VMM";
  return mdev === undefined
    ? "anything but a guest's operation, as the machine has no VMM"
    : 'what mdevs without a VMM can be asked';
}

function check<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw new Error('a refusal without an issue');
  const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  throw new RecordError(`${where}: ${path === '' ? '' : `${path.replace(/^\./, '')}: `}${lower(issue.message)}`);
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function schemaOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
}

function excerpt(line: string): string {
  return line.length > 40 ? `${line.slice(0, 40)}...` : line === '' ? 'an empty line' : line;
}
