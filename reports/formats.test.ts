import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GUEST_KINDS, INVALID_INTERRUPT_HANDLE, MDEV_KINDS, type OperationKind, type Trace } from '#vocabulary';
import { specify } from '../model/reference.ts';
import { readRecorded, writeFinding } from '../properties/runner/record.ts';
import { DIVERGENCE, GLOSSARY, RUN } from './fixture.ts';
import { NOT_DRAINED, REFUSED_IN_THE_GAP } from './mdev-fixture.ts';
import { readReached } from './read-summary.ts';
import { summaryOf } from './summary.ts';

const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');

/** The examples of README.md that are of a format. */
function examples(format: string): readonly string[] {
  const blocks = [...readme.matchAll(/```jsonl?\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  return blocks.filter((block) => block.includes(`"vfio-irq/${format}"`));
}

/** The names in a value, those of lists taken from their first element. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shape(part)]));
}

const answers = (trace: Trace): readonly object[] => trace.steps.map((step) => ({ ...step, clauses: [] }));

describe('a finding made by hand', () => {
  it.each([NOT_DRAINED, REFUSED_IN_THE_GAP])('on a machine with mdevs is what the model says: $id', (finding) => {
    const { reference } = finding.judgement;
    const { initial, initialParent, ...trace } = specify(finding.scenario);
    expect({ initial, initialParent }).toEqual({ initial: reference.initial, initialParent: reference.initialParent });
    expect(answers(reference)).toEqual(answers({ initial, ...trace }));
  });
});

describe('the example in README.md', () => {
  it('of a scenario is one', () => {
    const [raw = '', guests = '', mdevs = ''] = examples('scenario@1');
    expect(readRecorded(raw, 'README.md')).toMatchObject({
      kind: 'scenario',
      scenario: { operations: [{ device: 0 }, {}] },
    });
    const kindsOf = (text: string): readonly OperationKind[] => {
      const recorded = readRecorded(text, 'README.md');
      return recorded.kind === 'scenario' ? recorded.scenario.operations.map(({ kind }) => kind) : [];
    };
    expect(
      kindsOf(guests)
        .filter((kind) => kind !== 'device.arm')
        .sort(),
    ).toEqual([...GUEST_KINDS].sort());
    const withoutVmm = MDEV_KINDS.filter((kind) => kind !== 'device.armDescriptor');
    expect(kindsOf(mdevs)).toEqual(expect.arrayContaining(withoutVmm));
  });

  it('of a finding is one, as it would be written', () => {
    const texts = examples('finding@1');
    expect(texts).toHaveLength(3);
    for (const text of texts) {
      const recorded = readRecorded(text, 'README.md');
      expect(recorded.kind === 'finding' ? writeFinding(recorded.finding) : recorded.kind).toBe(text);
    }
    expect(writeFinding(DIVERGENCE)).toContain('vfio-irq/finding@1');
  });

  it('of a finding with a guest is what the model says', () => {
    const [, text = ''] = examples('finding@1');
    const recorded = readRecorded(text, 'README.md');
    if (recorded.kind !== 'finding') throw new Error('a finding is read as one');
    const { scenario, judgement } = recorded.finding;
    expect(answers(judgement.reference)).toEqual(answers(specify(scenario)));
    expect(judgement.reference.steps.at(-1)).toMatchObject({
      events: [{ kind: 'raised', window: 'after-set' }, { kind: 'message' }],
      observation: [{ guest: { enable: true } }],
      calls: [{ kind: 'vfio' }],
    });
  });

  it('of a finding with mdevs is what the model says', () => {
    const [, , text = ''] = examples('finding@1');
    const recorded = readRecorded(text, 'README.md');
    if (recorded.kind !== 'finding') throw new Error('a finding is read as one');
    const { scenario, judgement } = recorded.finding;
    expect(answers(judgement.reference)).toEqual(answers(specify(scenario)));
    expect(judgement.reference.initialParent).toEqual(specify(scenario).initialParent);
    expect(judgement.reference.steps.at(-1)).toMatchObject({
      events: [{ kind: 'completed', status: INVALID_INTERRUPT_HANDLE }, { kind: 'error' }],
      parent: { descriptors: [{ phase: 'over' }] },
    });
    expect(judgement.subject.steps.at(-1)?.parent).toMatchObject({ descriptors: [{ phase: 'started', entry: 0 }] });
  });

  it('of a summary has the names of a summary', () => {
    const [text = '{}'] = examples('summary@1');
    const run = {
      ...RUN,
      results: RUN.results.filter(({ violations }) => violations.some(({ clause }) => clause !== null)),
    };
    const example = shape(JSON.parse(text));
    const real = shape(JSON.parse(JSON.stringify(summaryOf(run, GLOSSARY.clauses))));
    expect(example).toMatchObject({
      schema: 'string',
      seed: 'number',
      systems: [{ violations: [{ findings: ['string'] }] }],
      clauses: { list: [{ source: 'string', reachedBy: [{ system: 'string', scenarios: 'number' }] }] },
    });
    const names = (summary: unknown): unknown =>
      Object.keys((summary as { systems: [{ coverage: object }] }).systems[0].coverage);
    expect(names(example)).toEqual(names(real));
    expect(readReached(text, 'README.md').clauses.list[0]?.id).toBe('vfio.irq-info.answer');
    expect(Object.keys(example as object)).toEqual(Object.keys(real as object));
  });
});
