import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  ALLOCATED,
  ARMED,
  HarnessError,
  type HostTraits,
  INTX_STATUS,
  type Observation,
  type PciFunction,
  parseOperation,
  printOperation,
  REGISTERS_MASK,
  type Scenario,
  type Step,
  type System,
  type Trace,
  UNMASKED,
  VECTOR_STATE_MASK,
  type VectorChange,
} from '#vocabulary';
import { hostTraits, platformOf } from '../../model/profiles.ts';
import { referenceSystem, specify } from '../../model/reference.ts';
import { EXPECTATIONS } from '../expected.ts';
import { INVARIANTS } from '../invariants/index.ts';
import { type CampaignPlan, campaign, lacks } from './campaign.ts';
import { compare } from './compare.ts';
import { judge } from './lockstep.ts';
import { planOf } from './plan.fixture.ts';
import { probe } from './probe.ts';
import { RecordError, readRecorded, writeFinding } from './record.ts';
import type { Finding } from './verdict.ts';

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const TEN: PciFunction = { msixVectors: 10, whileOff: 'latches' };
const LARGER: PciFunction = { msixVectors: 36, whileOff: 'latches' };
/** Stories of expected violations that come before what is drawn. */
const KNOWN = EXPECTATIONS.filter(({ profile }) => profile === 'linux-6.1').length;
const FULL = { vectorState: VECTOR_STATE_MASK, messageControl: true, registers: REGISTERS_MASK };

function scenario(profile: 'linux-6.1' | 'linux-6.12', lines: readonly string[]): Scenario {
  return {
    config: { host: hostTraits(profile), devices: [{ msixVectors: 10, whileOff: 'latches' }] },
    operations: lines.map(parseOperation),
  };
}

function plan(changes: Partial<CampaignPlan> = {}): CampaignPlan {
  return planOf(referenceSystem(), 'linux-6.1', changes);
}

/** A system that is the model but for what is done to each of its runs. */
function tampered(edit: (steps: Step[], scenario: Scenario) => Step[]): System {
  return {
    ...referenceSystem(),
    name: 'tampered',
    run: (at: Scenario): Trace => {
      const trace = specify(at);
      return { ...trace, steps: edit([...trace.steps], at) };
    },
  };
}

describe('the comparer', () => {
  const at = scenario('linux-6.12', [
    `${SET} 0+2 [e0 e1]`,
    `${SET} 2+1 [e2]`,
    'device.raise 2',
    'vfio.getIrqInfo MSIX',
  ]);

  it('remembers what both sides said of a vector before they differed in it', () => {
    const seen = (vector: VectorChange[], ofGuest: VectorChange[]): Observation => [
      {
        ...{ enable: true, functionMask: false, msixInfoFlags: 1, registers: 0, changes: vector },
        guest: { enable: true, functionMask: false, changes: ofGuest },
      },
    ];
    const run = (...observations: Observation[]): Trace => ({
      initial: seen([], []),
      steps: observations.map((observation) => ({ outcome: { kind: 'ok' }, events: [], observation, clauses: [] })),
    });
    const both = seen([{ vector: 0, state: ALLOCATED | ARMED }], [{ vector: 0, state: UNMASKED }]);
    const idle = [{ vector: 0, state: 0 }];
    expect(compare(at, run(both, seen([], [])), run(both, seen(idle, idle)), FULL)).toEqual([
      { step: 1, path: 'device 0 vector 0', expected: 'allocated armed', got: 'idle' },
      { step: 1, path: 'device 0 guest vector 0', expected: 'unmasked', got: 'idle' },
    ]);
  });

  it('finds nothing in two equal runs', () => {
    expect(compare(at, specify(at), specify(at), FULL)).toEqual([]);
  });

  it('tells each difference where it begins, and goes on', () => {
    const other = { ...at, config: { ...at.config, host: hostTraits('linux-6.1') } };
    expect(compare(at, specify(at), specify(other), FULL)).toEqual([
      { step: -1, path: 'device 0 MSI-X flags', expected: '1', got: '9' },
      { step: 1, path: 'outcome', expected: 'ok', got: 'EINVAL' },
      { step: 1, path: 'device 0 vector 2', expected: 'allocated armed unmasked', got: 'idle' },
      { step: 2, path: 'events', expected: 'raised 2, e2 +1', got: 'raised 2' },
      { step: 2, path: 'device 0 vector 2', expected: 'allocated armed unmasked', got: 'pending' },
      { step: 3, path: 'outcome', expected: 'flags 1 count 10', got: 'flags 9 count 10' },
    ]);
  });

  it('tells a difference again after it was gone', () => {
    const raises = scenario('linux-6.12', [`${SET} 0+1 [e0]`, 'device.raise 0', 'device.raise 0']);
    const trace = specify(raises);
    const flickering = trace.steps.map((step, index) => ({
      ...step,
      observation: step.observation.map((device) => ({ ...device, functionMask: index !== 1 })),
    }));
    expect(compare(raises, trace, { ...trace, steps: flickering }, FULL)).toEqual([
      { step: 0, path: 'device 0 function mask', expected: 'false', got: 'true' },
      { step: 2, path: 'device 0 function mask', expected: 'false', got: 'true' },
    ]);
  });

  it('compares the registers that the subject can show', () => {
    const trace = specify(at);
    const asserted = trace.steps.map((step, index) => ({
      ...step,
      observation: step.observation.map((device) => ({ ...device, registers: index === 1 ? INTX_STATUS : 0 })),
    }));
    expect(compare(at, trace, { ...trace, steps: asserted }, FULL)).toEqual([
      { step: 1, path: 'device 0 registers', expected: 'none', got: 'INTx-status' },
    ]);
    expect(compare(at, trace, { ...trace, steps: asserted }, { ...FULL, registers: 0 })).toEqual([]);
  });

  it('compares nothing that the subject cannot show', () => {
    const blind = {
      ...specify(at),
      steps: specify(at).steps.map((step) => ({
        ...step,
        observation: step.observation.map((device) => ({
          ...device,
          enable: false,
          changes: device.changes.map(({ vector, state }) => ({ vector, state: state & ARMED })),
        })),
      })),
    };
    expect(compare(at, specify(at), blind, { vectorState: ARMED, messageControl: false, registers: 0 })).toEqual([]);
    expect(compare(at, specify(at), blind, FULL)).not.toEqual([]);
  });

  it('stops where the subject died, and refuses a run that shows too few devices', () => {
    const trace = specify(at);
    const dead: Step = { outcome: { kind: 'unknown', reason: 'crash' }, events: [], observation: [], clauses: [] };
    expect(compare(at, trace, { ...trace, steps: [...trace.steps.slice(0, 1), dead] }, FULL)).toEqual([
      { step: 1, path: 'outcome', expected: 'ok', got: 'unknown (crash)' },
    ]);
    expect(() => compare(at, trace, { ...trace, initial: [] }, FULL)).toThrow('device 0 was not observed');
  });
});

describe('a campaign', () => {
  it('passes on the model itself and finds the known history', async () => {
    const result = await campaign(plan());
    expect(result.verdict).toBe('pass');
    expect(result.divergences).toBe(0);
    expect(result.scenarios).toBe(300 + KNOWN);
    expect(result.violations).toContainEqual({
      invariant: 'no-lost-interrupt',
      clause: 'pci.msix-message.dropped-while-off',
      count: expect.any(Number),
      findings: [expect.any(String)],
    });
    expect(result.violations).toHaveLength(KNOWN);
    expect(result.violations[0]?.count).toBeGreaterThan(1);
    expect(result.findings.map(({ verdict }) => verdict)).toEqual(Array(KNOWN).fill('expected'));
    for (const { scenario: at } of result.findings) expect(at.operations.length).toBeLessThanOrEqual(6);
  });

  it('catches the model of the wrong generation and shrinks it to at most four operations', async () => {
    const subjectPlatform = platformOf('linux-6.12');
    const result = await campaign(plan({ scenarios: 100, subjectProfile: 'linux-6.12', subjectPlatform }));
    expect(result.verdict).toBe('fail');
    expect(result.divergences).toBeGreaterThan(0);
    expect(result.findings.length).toBeGreaterThan(0);
    for (const { verdict, scenario: at } of result.findings)
      if (verdict !== 'expected') expect(at.operations.length).toBeLessThanOrEqual(4);
  });

  it('tells a broken promise as such', async () => {
    const subject = tampered((steps) =>
      steps.map((step) => ({ ...step, events: step.events.filter(({ kind }) => kind !== 'signalled') })),
    );
    const result = await campaign(plan({ system: subject }));
    expect(result.verdict).toBe('fail');
    expect(result.violations.map(({ invariant, clause }) => [invariant, clause])).toContainEqual([
      'no-lost-interrupt',
      null,
    ]);
    const shortest = result.findings
      .find(({ verdict }) => verdict === 'violation')
      ?.scenario.operations.map(printOperation);
    // A trigger, and something that signals it; or a write that the user reads back.
    expect(shortest?.length).toBeLessThanOrEqual(2);
  });

  it('keeps what a system showed before it died, and calls it unknown', async () => {
    const subject = tampered((steps, { operations }) => {
      const at = operations.findIndex(({ kind }) => kind === 'device.raise');
      if (at === -1) return steps;
      const dead: Step = { outcome: { kind: 'unknown', reason: 'crash' }, events: [], observation: [], clauses: [] };
      return [...steps.slice(0, at), dead];
    });
    const result = await campaign(plan({ system: subject }));
    expect(result.verdict).toBe('fail');
    const finding = result.findings.find(({ verdict }) => verdict === 'unknown');
    expect(finding?.scenario.operations.map(printOperation)).toEqual(['device.raise 0']);
  });

  it.each([
    ['from its stories on', INVARIANTS, 1],
    ['where there is no story', INVARIANTS.filter(({ id }) => id === 'no-leak'), 8],
  ])('asks one that hangs in each scenario three times, %s', async (_, invariants, atOnce) => {
    let now = 0;
    let most = 0;
    const hung: Step = { outcome: { kind: 'unknown', reason: 'time-out' }, events: [], observation: [], clauses: [] };
    const hanging: System = {
      ...referenceSystem(),
      name: 'hanging',
      atOnce: 8,
      run: async (at) => {
        now += 1;
        most = Math.max(most, now);
        await setImmediate();
        now -= 1;
        return { ...specify(at), steps: at.operations.slice(0, 1).map(() => hung) };
      },
    };
    const result = await campaign(plan({ system: hanging, invariants }));
    expect([most, result.scenarios, result.verdict]).toEqual([atOnce, 3, 'fail']);
  });

  it('counts scenarios as they were drawn, whichever is ready first', async () => {
    const wrong = tampered((steps) => steps.map((step) => ({ ...step, outcome: { kind: 'positive', value: 1 } })));
    let asked = 0;
    const late: System = {
      ...wrong,
      atOnce: 8,
      run: async (at) => {
        asked += 1;
        // The first of eight is ready last.
        for (let left = asked % 8; left < 8; left += 1) await setImmediate();
        return wrong.run(at);
      },
    };
    const firstDrawn = async (system: System): Promise<readonly unknown[]> => {
      const { findings } = await campaign(plan({ system }));
      return findings.map(({ id, drawn }) => [id, drawn]);
    };
    expect(await firstDrawn(late)).toEqual(await firstDrawn(wrong));
  });

  it('fails when an expected violation no longer occurs', async () => {
    // Devices that forget keep their events after all.
    const healed: System = {
      ...referenceSystem(),
      run: ({ config, operations }) =>
        specify({
          config: { ...config, devices: config.devices.map((device) => ({ ...device, whileOff: 'latches' })) },
          operations,
        }),
    };
    const result = await campaign(plan({ system: healed, scenarios: 50 }));
    expect(result.verdict).toBe('fail');
    expect(result.violations).toContainEqual({
      invariant: 'no-lost-interrupt',
      clause: 'pci.msix-message.dropped-while-off',
      count: 0,
      findings: [],
    });
  });

  it('expects nothing of an invariant that was not asked for', async () => {
    const result = await campaign(plan({ invariants: INVARIANTS.filter(({ id }) => id === 'no-leak'), scenarios: 50 }));
    expect(result.verdict).toBe('pass');
    expect(result.violations).toEqual([]);
  });

  it('is errored when the harness fails, and throws what is nobody s verdict', async () => {
    const failing = (error: Error): System => ({ ...referenceSystem(), run: () => Promise.reject(error) });
    const result = await campaign(plan({ system: failing(new HarnessError('no ready line within 60 s')) }));
    expect([result.verdict, result.reason]).toEqual(['errored', 'no ready line within 60 s']);
    await expect(campaign(plan({ system: failing(new TypeError('a mistake of ours')) }))).rejects.toThrow(
      'a mistake of ours',
    );
    let runs = 0;
    const late: System = {
      ...referenceSystem(),
      run: (at) => {
        runs += 1;
        if (runs > 20) throw new HarnessError('gone');
        return specify(at);
      },
    };
    expect((await campaign(plan({ system: late }))).verdict).toBe('errored');
  });

  it('draws the same scenarios whatever the number of shards', async () => {
    const drawn = async (shard: { index: number; count: number }): Promise<string[]> => {
      const seen: string[] = [];
      const recording = tampered((steps, { operations }) => {
        seen.push(operations.map(printOperation).join('; '));
        return steps;
      });
      const scenarios = 120;
      await campaign(plan({ system: recording, scenarios, shard, invariants: [] }));
      return seen;
    };
    const whole = await drawn({ index: 1, count: 1 });
    const parts = [...(await drawn({ index: 1, count: 2 })), ...(await drawn({ index: 2, count: 2 }))];
    expect(whole).toHaveLength(120);
    expect(parts.sort()).toEqual(whole.sort());
  });

  it('finds the same when it ends with the scenario of the finding', async () => {
    const wrong = { kind: 'positive', value: 9 } as const;
    const subject = tampered((steps) =>
      steps.map((step, place) => (place === 50 ? { ...step, outcome: wrong } : step)),
    );
    const { findings } = await campaign(plan({ system: subject, seed: 3 }));
    const first = findings.find(({ verdict }) => verdict !== 'expected');
    const scenarios = (first?.drawn ?? 0) + 1;
    expect(scenarios).toBeGreaterThan(1);
    const again = await campaign(plan({ system: subject, seed: 3, scenarios }));
    expect(again.findings).toContainEqual(first);
    const before = await campaign(plan({ system: subject, seed: 3, scenarios: scenarios - 1 }));
    expect(before.findings.map(({ id }) => id)).not.toContain(first?.id);
  });

  it('stops when it is told to or when its time is over, with what it has', async () => {
    const controller = new AbortController();
    const stopped = await campaign(
      plan({ stop: controller.signal, scenarios: 1000, onProgress: () => controller.abort() }),
    );
    expect(stopped.scenarios).toBe(50 + KNOWN);
    expect((await campaign(plan({ seconds: 0 }))).scenarios).toBe(KNOWN);
  });

  it('draws nothing longer than it is told', async () => {
    const lengths: number[] = [];
    const recording = tampered((steps) => {
      lengths.push(steps.length);
      return steps;
    });
    await campaign(plan({ system: recording, lengthMax: 3, scenarios: 50, invariants: [] }));
    expect(Math.max(...lengths)).toBe(3);
  });
});

describe('a system', () => {
  it('is asked how its host behaves', async () => {
    for (const profile of ['linux-6.1', 'linux-6.12'] as const) {
      const host: HostTraits = hostTraits(profile);
      const own: System = {
        ...referenceSystem(),
        support: { ...referenceSystem().support, host: 'own', functions: [LARGER, TEN] },
        run: (at) => specify({ ...at, config: { ...at.config, host } }),
      };
      expect(await probe(own)).toEqual({ host });
    }
  });

  it('that does not answer is a failure of the harness', async () => {
    const mute = (answered: number): System => ({
      ...referenceSystem(),
      run: (at) => ({ ...specify(at), steps: specify(at).steps.slice(0, answered) }),
    });
    await expect(probe(mute(0))).rejects.toThrow(
      'did not answer when it was asked how it behaves (vfio.getIrqInfo MSIX)',
    );
    await expect(probe(mute(1))).rejects.toThrow('(a loopback)');
  });

  it('supports a scenario when it has its devices and operations', () => {
    const at = scenario('linux-6.1', ['device.raise 0']);
    const system = referenceSystem();
    const having = (support: Partial<System['support']>): System => ({
      ...system,
      support: { ...system.support, ...support },
    });
    expect(lacks(system, at)).toBeNull();
    expect(lacks(having({ functions: [TEN] }), at)).toBeNull();
    const no = 'has no function for device 0: {"msixVectors":10,"whileOff":"latches"}';
    expect(lacks(having({ functions: [LARGER] }), at)).toBe(no);
    expect(lacks(having({ functions: [{ ...TEN, intx: true }] }), at)).toBe(no);
    expect(lacks(having({ devicesMax: 0 }), at)).toBe('has at most 0 devices, got 1');
    expect(lacks(having({ operations: new Set(['vfio.open']) }), at)).toBe(
      'cannot be asked device.raise (operation 0)',
    );
  });
});

/** A scenario as the text of its file. */
function scenarioFile(at: Scenario): string {
  return JSON.stringify({ schema: 'vfio-irq/scenario@1', ...at }, null, 2);
}

/** A scenario file with one write of configuration space. */
function configWriteFile(field: string, value: number): string {
  const config = { host: hostTraits('linux-6.12'), devices: [TEN] };
  const operations = [{ kind: 'vfio.configWrite', device: 0, field, value }];
  return JSON.stringify({ schema: 'vfio-irq/scenario@1', config, operations });
}

/** A scenario file with one element of data. */
function dataFile(element: string): string {
  const at = scenario('linux-6.12', [`${SET} 0+1 [e0]`]);
  return scenarioFile(at).replace('"e0"', JSON.stringify(element));
}

describe('a record', () => {
  async function findings(): Promise<readonly Finding[]> {
    const subjectPlatform = platformOf('linux-6.12');
    return (await campaign(plan({ scenarios: 100, subjectProfile: 'linux-6.12', subjectPlatform }))).findings;
  }

  it('of a finding is read back as it was written', async () => {
    const found = await findings();
    expect(found.length).toBeGreaterThan(0);
    for (const finding of found)
      expect(readRecorded(writeFinding(finding), 'f.jsonl')).toEqual({ kind: 'finding', finding });
  });

  it('of a run that ended early is read back too', () => {
    const at = scenario('linux-6.1', ['device.raise 0', 'device.raise 1']);
    const dead: Step = { outcome: { kind: 'unknown', reason: 'time-out' }, events: [], observation: [], clauses: [] };
    const reference = specify(at);
    const finding: Finding = {
      id: '0123abcd',
      verdict: 'unknown',
      system: 'linux-6.1',
      profile: 'linux-6.1',
      subjectProfile: 'linux-6.1',
      seed: 5,
      scenario: at,
      judgement: {
        reference,
        subject: { initial: reference.initial, steps: [dead], lastWords: 'Oops' },
        divergences: [],
        violations: [],
      },
    };
    expect(readRecorded(writeFinding(finding), 'f.jsonl')).toEqual({ kind: 'finding', finding });
  });

  it('of a scenario is read back, and a device left out is device 0', () => {
    const at = scenario('linux-6.12', [
      `${SET} 0+1 [e0] argsz=24`,
      'vfio.closeEventfd e0',
      'device.arm 0 teardown-gap',
    ]);
    expect(readRecorded(scenarioFile(at), 's.json')).toEqual({ kind: 'scenario', scenario: at });
    const text = scenarioFile(at).replaceAll(/\s*"device": 0,/g, '');
    expect(text).not.toContain('"device"');
    expect(readRecorded(text, 's.json')).toEqual({ kind: 'scenario', scenario: at });
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['empty', () => '', /^f: expected a scenario or a finding, got an empty file$/],
    ['cut off', (text) => text.slice(0, -30), /^f, line \d+: expected JSON, got \{.{39}\.\.\.$/],
    ['with a gap', (text) => text.replace('\n', '\n\n'), /^f, line 2: expected JSON, got an empty line$/],
    ['something else', () => 'hello', /^f, line 1: expected JSON, got hello$/],
    [
      'of another version',
      (text) => text.replace('finding@1', 'finding@9'),
      /^f, line 1: schema: invalid input: expected "vfio-irq\/finding@1"$/,
    ],
    [
      'with a wrong number',
      (text) => text.replace('"start":0', '"start":-4'),
      /^f, line 2: operation\.start: too small: expected number to be >=0$/,
    ],
    [
      'with an unknown operation',
      (text) => text.replace('vfio.setIrqs', 'vfio.fly'),
      /^f, line 2: operation\.kind: invalid/,
    ],
    [
      'with a field too many',
      (text) => text.replace('"start":0', '"start":0,"stop":1'),
      /^f, line 2: operation: unrecognized key: "stop"$/,
    ],
    ['with a step missing', (text) => text.replace(/\n.*"index":0.*\n/, '\n'), /^f, line 2: index: expected 0, got 1$/],
    [
      'with a device too many',
      (text) => text.replaceAll('"device":0', '"device":3'),
      /^f: operations\[0\]\.device: expected 0 to 0, got 3$/,
    ],
    [
      'with an unknown invariant',
      (text) =>
        text.replace(
          '"violations":[]',
          '"violations":[{"invariant":"no-luck","step":0,"causes":[],"message":"","expectedBy":null}]',
        ),
      /^f, line 1: violations\[0\]\.invariant: expected one of conformance, no-lost-interrupt/,
    ],
    [
      'cut off before the operation that broke something',
      (text) =>
        text.replace(
          '"violations":[]',
          '"violations":[{"invariant":"no-leak","step":99,"causes":[],"message":"","expectedBy":null}]',
        ),
      /^f, line 1: violations\[0\]\.step: expected -1 to \d+, got 99$/,
    ],
    [
      'without an answer between two',
      (text) => {
        const [header, first = '', ...rest] = text.split('\n');
        return [header, JSON.stringify({ ...JSON.parse(first), subject: null }), ...rest].join('\n');
      },
      /^f, line 3: subject: expected null, as on the line before$/,
    ],
  ])('that is %s is refused on one line', async (_what, corrupt, message) => {
    const finding = (await findings()).find(({ scenario: { operations } }) =>
      operations.some(
        (operation, index) =>
          index === 0 && operations.length > 1 && operation.kind === 'vfio.setIrqs' && operation.start === 0,
      ),
    );
    if (finding === undefined) throw new Error('no finding begins with vfio.setIrqs');
    const { judgement } = finding;
    const text = writeFinding({ ...finding, judgement: { ...judgement, violations: [] } });
    const corrupted = corrupt(text);
    expect(corrupted).not.toBe(text);
    expect(() => readRecorded(corrupted, 'f')).toThrow(RecordError);
    expect(() => readRecorded(corrupted, 'f')).toThrow(message);
  });

  it('that was kept from a real kernel is judged again as it was', () => {
    const file = join(import.meta.dirname, '../../reports/golden/range-0-7-on-linux-6.12.jsonl');
    const recorded = readRecorded(readFileSync(file, 'utf8'), file);
    if (recorded.kind !== 'finding') throw new Error('expected a finding');
    const { scenario: at, judgement, profile } = recorded.finding;
    const again = judge(
      at,
      specify(at),
      judgement.subject,
      { name: 'linux-6.12', precision: FULL },
      { profile, invariants: INVARIANTS },
    );
    expect(again.divergences).toEqual(judgement.divergences);
    expect(again.divergences).toContainEqual({ step: 1, path: 'outcome', expected: 'EINVAL', got: 'ok' });
    expect(again.violations).toEqual(judgement.violations);
  });

  it.each([
    ['{"schema":"vfio-irq/scenario@1"}', /^s: config: invalid input: expected object, received undefined$/],
    ['[]', /^s: invalid input: expected object, received array$/],
    ['{\n  "schema": "vfio-irq/scenario@1"\n  "config": {}\n}', /^s, line 3: expected JSON \(/],
    [dataFile('eX'), /^s: operations\[0\]\.data\[0\]: expected e0 to e999999, "bad", "notEventfd" or a 32-bit number$/],
    [dataFile('e01'), /^s: operations\[0\]\.data\[0\]: expected e0 to e999999/],
    [configWriteFile('power', 1), /^s: operations\[0\]\.value: expected 0 or 3 for power, got 1$/],
    [configWriteFile('memory', 2), /^s: operations\[0\]\.value: expected 0 or 1 for memory, got 2$/],
    [configWriteFile('speed', 1), /^s: operations\[0\]\.field: invalid option: expected one of/],
  ])('that is no scenario is refused: %s', (text, message) => {
    expect(() => readRecorded(text, 's')).toThrow(message);
  });
});
