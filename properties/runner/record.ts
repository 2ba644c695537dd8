import { z } from 'zod';
import {
  CONFIG_FIELDS,
  type Config,
  type ConfigField,
  type DataElement,
  type Errno,
  type Event,
  type EventfdName,
  MSI_VECTORS,
  MSIX_VECTORS_MAX,
  type Observation,
  type Operation,
  type Outcome,
  REGISTERS_MASK,
  type Scenario,
  type Step,
  type Trace,
  VECTOR_STATE_MASK,
  WINDOWS,
} from '#vocabulary';
import { INVARIANTS } from '../invariants/index.ts';
import type { InvariantId } from '../invariants/invariant.ts';
import type { Finding } from './verdict.ts';

/** A file that is not what it should be: what, where, what was expected, on one line. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

const SCENARIO_SCHEMA = 'vfio-irq/scenario@1';
const FINDING_SCHEMA = 'vfio-irq/finding@1';
const STEP_SCHEMA = 'vfio-irq/step@1';

const uint32 = z.int().min(0).max(0xffffffff);
const uint16 = z.int().min(0).max(0xffff);
const device = z.int().min(0).default(0);
const eventfdName = z.custom<EventfdName>((value) => typeof value === 'string' && /^e(0|[1-9]\d{0,5})$/.test(value), {
  message: 'expected an eventfd such as e0',
});
const dataElement: z.ZodType<DataElement> = z.union(
  [eventfdName, z.literal('bad'), z.literal('notEventfd'), z.int().min(-0x80000000).max(0xffffffff)],
  { error: 'expected e0 to e999999, "bad", "notEventfd" or a 32-bit number' },
);
/** Left out rather than undefined, as the types have it. */
const present = z.literal(true, { error: 'expected true, or nothing' }).exactOptional();
const argument = { argsz: uint32.exactOptional(), unreadable: z.literal(true).exactOptional() };

const FIELD_VALUES: Readonly<Record<ConfigField, readonly number[] | 'any'>> = {
  intxDisable: [0, 1],
  memory: [0, 1],
  busMaster: [0, 1],
  power: [0, 3],
  msiEnable: [0, 1],
  msixControl: 'any',
};
const configWrite = z
  .strictObject({ kind: z.literal('vfio.configWrite'), device, field: z.enum(CONFIG_FIELDS), value: uint16 })
  .check(({ value: { field, value }, issues }) => {
    const allowed = FIELD_VALUES[field];
    if (allowed === 'any' || allowed.includes(value)) return;
    issues.push({
      code: 'custom',
      input: value,
      path: ['value'],
      message: `expected ${allowed.join(' or ')} for ${field}, got ${value}`,
    });
  });

const operation: z.ZodType<Operation> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('vfio.open'), device }),
  z.strictObject({ kind: z.literal('vfio.close'), device }),
  z.strictObject({ kind: z.literal('vfio.getIrqInfo'), device, index: uint32, ...argument }),
  z.strictObject({
    kind: z.literal('vfio.setIrqs'),
    device,
    flags: uint32,
    index: uint32,
    start: uint32,
    count: uint32,
    data: z.array(dataElement).max(MSIX_VECTORS_MAX + 1),
    ...argument,
  }),
  z.strictObject({ kind: z.literal('vfio.reset'), device }),
  configWrite,
  z.strictObject({ kind: z.literal('vfio.configRead'), device, field: z.enum(CONFIG_FIELDS) }),
  z.strictObject({ kind: z.literal('vfio.tableRead'), device, vector: uint32 }),
  z.strictObject({ kind: z.literal('vfio.tableWrite'), device, vector: uint32, value: uint32 }),
  z.strictObject({ kind: z.literal('vfio.pbaRead'), device, vector: uint32 }),
  z.strictObject({ kind: z.literal('vfio.mapBar'), device }),
  z.strictObject({ kind: z.literal('vfio.unmapBar'), device }),
  z.strictObject({ kind: z.literal('vfio.writeEventfd'), eventfd: eventfdName }),
  z.strictObject({ kind: z.literal('vfio.closeEventfd'), eventfd: eventfdName }),
  z.strictObject({ kind: z.literal('device.raise'), device, vector: uint32 }),
  z.strictObject({ kind: z.literal('device.arm'), device, vector: uint32, window: z.enum(WINDOWS) }),
  z.strictObject({ kind: z.literal('device.assertIntx'), device }),
  z.strictObject({ kind: z.literal('device.deassertIntx'), device }),
  z.strictObject({ kind: z.literal('device.wipe'), device }),
  z.strictObject({ kind: z.literal('host.limitVectors'), count: uint32 }),
  z.strictObject({ kind: z.literal('host.failAllocation'), nth: z.int().min(1).max(0xffffffff) }),
]);

const config: z.ZodType<Config> = z.strictObject({
  host: z.strictObject({
    dynamicMsix: z.boolean(),
    rangeCheck: z.enum(['whole-range-first', 'vector-by-vector']),
    belowMinusOne: z.enum(['ignored', 'refused']),
  }),
  interruptRemapping: z.literal(false, { error: 'expected false, or nothing' }).exactOptional(),
  devices: z
    .array(
      z.strictObject({
        msixVectors: z.int().min(0).max(MSIX_VECTORS_MAX),
        whileOff: z.enum(['latches', 'drops']),
        msiVectors: z.literal(MSI_VECTORS).exactOptional(),
        intx: present,
        express: present,
        reset: present,
        powerManagement: present,
        silent: present,
      }),
    )
    .min(1),
});

const scenarioFile = z.strictObject({
  schema: z.literal(SCENARIO_SCHEMA),
  config,
  operations: z.array(operation),
});

const observation: z.ZodType<Observation> = z.array(
  z.strictObject({
    enable: z.boolean(),
    functionMask: z.boolean(),
    msixInfoFlags: uint32,
    registers: z.int().min(0).max(REGISTERS_MASK).default(0),
    changes: z.array(z.strictObject({ vector: uint32, state: z.int().min(0).max(VECTOR_STATE_MASK) })),
  }),
);
const outcome: z.ZodType<Outcome> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ok') }),
  z.strictObject({ kind: z.literal('irqInfo'), flags: uint32, count: uint32 }),
  z.strictObject({ kind: z.literal('value'), value: uint32 }),
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
  z.strictObject({ kind: z.literal('signalled'), eventfd: eventfdName, count: z.int().min(1) }),
]);
const step: z.ZodType<Step> = z.strictObject({
  outcome,
  events: z.array(event),
  observation,
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
  config,
  initial: z.strictObject({ reference: observation, subject: observation }),
  lastWords: z.string().exactOptional(),
  divergences: z.array(z.strictObject({ step: z.int(), path: z.string(), expected: z.string(), got: z.string() })),
  violations: z.array(
    z.strictObject({
      invariant: z.custom<InvariantId>((value) => INVARIANTS.some(({ id }) => id === value), {
        message: `expected one of ${INVARIANTS.map(({ id }) => id).join(', ')}`,
      }),
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
    initial: { reference: reference.initial, subject: subject.initial },
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
    checkDevices(scenario, file);
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
  const subjectSteps = steps.flatMap(({ subject }) => (subject === null ? [] : [subject]));
  const reference: Trace = { initial: initial.reference, steps: steps.map((line) => line.reference) };
  const subject: Trace = {
    initial: initial.subject,
    steps: subjectSteps,
    ...(lastWords === undefined ? {} : { lastWords }),
  };
  const scenario = { config, operations: steps.map((line) => line.operation) };
  checkDevices(scenario, file);
  return { ...about, scenario, judgement: { reference, subject, divergences, violations } };
}

function checkStep(value: unknown, index: number, file: string): z.infer<typeof findingStep> {
  const where = `${file}, line ${index + 2}`;
  const line = check(findingStep, value, where);
  if (line.index !== index) throw new RecordError(`${where}: index: expected ${index}, got ${line.index}`);
  return line;
}

/** An operation on a device that the Config does not have. */
function checkDevices({ config: { devices }, operations }: Scenario, file: string): void {
  for (const [index, operation] of operations.entries()) {
    if (!('device' in operation) || operation.device < devices.length) continue;
    throw new RecordError(
      `${file}: operations[${index}].device: expected 0 to ${devices.length - 1}, got ${operation.device}`,
    );
  }
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
