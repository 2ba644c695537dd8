import { describe, expect, it } from 'vitest';
import { CRASH } from './fixture.ts';
import { GOLDEN_FINDINGS, goldenFile, goldenFinding } from './golden-findings.ts';
import { itfJson } from './itf.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json };

const isRecord = (value: unknown): value is { readonly [field: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What of an expression is not as ADR 015 has it, by its place. Booleans are those of the tools that write traces. */
function mistakesIn(value: Json, place: string): readonly string[] {
  if (typeof value === 'string' || typeof value === 'boolean') return [];
  if (typeof value === 'number') return Number.isSafeInteger(value) ? [] : [`${place}: ${value} is not an integer`];
  if (Array.isArray(value)) return value.flatMap((item: Json, index) => mistakesIn(item, `${place}[${index}]`));
  if (!isRecord(value)) return [`${place}: null is no expression`];
  const [special, ...others] = Object.keys(value).filter((name) => name.startsWith('#'));
  if (special === undefined)
    return Object.entries(value).flatMap(([name, field]) => mistakesIn(field, `${place}.${name}`));
  if (others.length > 0 || Object.keys(value).length > 1) return [`${place}: ${special} beside other fields`];
  const inner = value[special];
  if (special === '#bigint') return typeof inner === 'string' && /^-?\d+$/.test(inner) ? [] : [`${place}: #bigint`];
  if (!['#set', '#tup', '#map'].includes(special) || !Array.isArray(inner)) return [`${place}: ${special}`];
  const keys = special === '#map' ? inner.map((pair: Json) => (Array.isArray(pair) ? pair[0] : null)) : inner;
  const twice = special !== '#tup' && new Set(keys.map((key) => JSON.stringify(key))).size < keys.length;
  const pairs = special === '#map' ? inner.filter((pair: Json) => !(Array.isArray(pair) && pair.length === 2)) : [];
  return [
    ...(twice ? [`${place}: the same twice`] : []),
    ...(pairs.length > 0 ? [`${place}: not a pair`] : []),
    ...inner.flatMap((item: Json, index) => mistakesIn(item, `${place}${special}[${index}]`)),
  ];
}

/** What of a trace is not as ADR 015 has it. */
function mistakes(text: string): readonly string[] {
  const trace: Json = JSON.parse(text);
  if (!isRecord(trace)) return ['no object'];
  const { vars, states, ...rest } = trace;
  const strange = Object.keys(rest).filter((name) => !['#meta', 'params', 'loop'].includes(name));
  if (!Array.isArray(vars) || !Array.isArray(states)) return ['no vars, or no states'];
  return [
    ...strange,
    ...states.flatMap((state: Json, index) => {
      if (!isRecord(state)) return [`state ${index} is no object`];
      const names = Object.keys(state).filter((name) => name !== '#meta');
      const isWhole = JSON.stringify(names.sort()) === JSON.stringify([...vars].sort());
      const found = names.flatMap((name) => mistakesIn(state[name] ?? null, `state ${index}: ${name}`));
      return [...(isWhole ? [] : [`state ${index} has ${names}`]), ...found];
    }),
  ];
}

describe('the ITF trace of a finding', () => {
  it.each(GOLDEN_FINDINGS)('reads as it should: %s', async (name) => {
    const text = itfJson(goldenFinding(name), goldenFile(name));
    expect(mistakes(text)).toEqual([]);
    await expect(text).toMatchFileSnapshot(`golden/findings/${name}.itf.json`);
  });

  it('has a state before the first operation and one after each', () => {
    const { states } = JSON.parse(itfJson(goldenFinding('noresize-msi'), 'here'));
    expect(states.map(({ operation }: { operation: string }) => operation)).toEqual([
      'start',
      'vfio.setIrqs MSI EVENTFD|TRIGGER 0+1 [e0]',
      expect.stringMatching(/^vfio\.setIrqs MSI EVENTFD\|TRIGGER 0\+2/),
    ]);
    expect(states[2].broken).toEqual({ '#set': ['noresize-error-unchanged'] });
    const vectors = (state: number): unknown => states[state].subject.devices['#map'][0][1].vectors;
    expect([vectors(0), vectors(1), vectors(2)]).toEqual([
      { '#map': [] },
      { '#map': [[0, { '#set': ['allocated', 'armed'] }]] },
      { '#map': [[0, { '#set': ['allocated'] }]] },
    ]);
  });

  it('names a promise once, however often it is broken', () => {
    const finding = goldenFinding('noresize-msi');
    const { judgement } = finding;
    const violations = [...judgement.violations, ...judgement.violations];
    const text = itfJson({ ...finding, judgement: { ...judgement, violations } }, 'here');
    expect(JSON.parse(text).states[2].broken).toEqual({ '#set': ['noresize-error-unchanged'] });
  });

  it('keeps a subject that died as it was last seen', () => {
    const text = itfJson(CRASH, 'here');
    expect(mistakes(text)).toEqual([]);
    const subjects = JSON.parse(text).states.map(({ subject }: { subject: object }) => subject);
    expect(subjects.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      ...['start', 'ok', 'ok', 'unknown (crash)', 'not asked', 'not asked'],
    ]);
    expect(subjects[5].devices).toEqual(subjects[3].devices);
  });
});

describe('the rules of ITF', () => {
  const trace = (value: Json): string => JSON.stringify({ vars: ['x'], states: [{ '#meta': {}, x: value }] });

  it.each<[string, Json]>([
    ['a fraction', 0.5],
    ['null', null],
    ['a number too large', 2 ** 60],
    ['a big integer that is none', { '#bigint': 'x' }],
    ['a field beside a set', { '#set': [], y: 1 }],
    ['a set with one thing twice', { '#set': [1, 1] }],
    ['a map that is no pairs', { '#map': [[1]] }],
    ['a word that is not of the format', { '#other': [] }],
  ])('do not allow %s', (_, value) => {
    expect(mistakes(trace(value))).toHaveLength(1);
    expect(mistakes(trace({ field: [{ '#tup': [value] }] })).length).toBeGreaterThan(0);
  });

  it('want every variable in every state', () => {
    expect(mistakes(JSON.stringify({ vars: ['x', 'y'], states: [{ x: 1 }] }))).toEqual(['state 0 has x']);
    expect(mistakes(trace({ '#map': [[{ '#bigint': '-7' }, { '#set': ['a', true] }]] }))).toEqual([]);
  });
});
