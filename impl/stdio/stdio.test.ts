import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sample } from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Config, HarnessError, parseOperation, type Scenario, type System, type Trace } from '#vocabulary';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import { scenarios } from '../../properties/generators/scenario.ts';
import { campaign } from '../../properties/runner/campaign.ts';
import { planOf } from '../../properties/runner/plan.fixture.ts';
import { optimisedSystem } from '../optimised/system.ts';
import { greet, startClient } from './client.ts';
import { readHello } from './hello.ts';
import { readDeclined, readStep } from './replies.ts';
import { commandOf, stdioFactory } from './system.ts';
import { wordsOf } from './words.ts';

const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-stdio-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LOOPBACK = `stdio:${process.execPath} --import tsx ${join(import.meta.dirname, 'loopback.ts')}`;
const faulty = (fault: string): string =>
  `stdio:${process.execPath} ${join(import.meta.dirname, 'faulty.fixture.js')} ${fault}`;

const CONFIG: Config = {
  host: { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
  devices: [{ msixVectors: 10, whileOff: 'drops' }],
};
const SCENARIO: Scenario = { config: CONFIG, operations: ['device.raise 1', 'device.raise 2'].map(parseOperation) };

async function withSystem<Value>(name: string, timeoutMs: number, use: (system: System) => Promise<Value>) {
  const system = await stdioFactory(name, timeoutMs).start();
  try {
    return await use(system);
  } finally {
    await system.close();
  }
}

describe('the words of a command line', () => {
  it.each([
    ['./core --fault=shift', ['./core', '--fault=shift']],
    ["  node  'a b.js' \"c \\\" d\" e\\ f ''", ['node', 'a b.js', 'c " d', 'e f', '']],
    ["sh -c 'cd x && ./y | tee z'", ['sh', '-c', 'cd x && ./y | tee z']],
    ["a'b'c", ['abc']],
  ])('%s', (command, words) => expect(wordsOf(command)).toEqual(words));

  it.each([
    ["a 'b", "expected a closing quote in: 'b"],
    ['  ', 'expected a program, got nothing'],
    ['cd x && ./y', "got &&: write sh -c '...' for a shell"],
  ])('%s is none', (command, words) => expect(() => wordsOf(command)).toThrow(words));
});

describe('what is read of answers', () => {
  const hello = { seq: 1, protocol: 1, name: 'x', operations: ['vfio.getIrqInfo', 'vfio.setIrqs'], functions: 'any' };

  it('hello says little where little is to be said', () => {
    const { support, precision } = readHello(hello);
    expect(support).toMatchObject({
      functions: 'any',
      vmm: 'none',
      devicesMax: 1,
      host: 'own',
      withoutRemapping: false,
    });
    expect(precision).toEqual({ vectorState: 31, messageControl: true, registers: 31 });
    expect(readHello({ ...hello, sees: ['armed', 'pending'] }).precision).toEqual({
      vectorState: 10,
      messageControl: false,
      registers: 0,
    });
  });

  it.each([
    [{ ...hello, protocol: 2 }, 'protocol: expected 1, got 2'],
    [{ ...hello, operations: ['vfio.fly'] }, 'operations[0]: expected one of "vfio.open", '],
    [{ ...hello, operations: ['vfio.setIrqs'] }, 'expected vfio.getIrqInfo, by which a host of its own is asked'],
    [
      { ...hello, host: 'any', operations: ['device.raise'] },
      'expected vfio.setIrqs, without which nothing is ever set up',
    ],
    [{ ...hello, functions: [] }, 'functions: expected "any", or one function at least, got []'],
    [{ ...hello, functions: [{ msixVectors: 2, msiVectors: 3 }] }, 'functions[0].msiVectors: expected one of 1, 2, 4'],
    [{ ...hello, constructor: 1 }, 'expected no field but seq, '],
  ])('%j is refused', (value, words) => expect(() => readHello(value)).toThrow(words));

  it('a step says only what is not as expected of one that does nothing', () => {
    expect(readStep({ seq: 1, step: 0 })).toMatchObject({
      outcome: { kind: 'ok' },
      signals: [],
      events: undefined,
    });
    expect(readStep({ seq: 1, step: 0, outcome: 'errno 95', signals: { e10: 1, e9: 2 } })).toMatchObject({
      outcome: { kind: 'errno', errno: 'errno 95' },
      signals: [
        { kind: 'signalled', eventfd: 'e9', count: 2 },
        { kind: 'signalled', eventfd: 'e10', count: 1 },
      ],
    });
    for (const [told, outcome] of [
      [
        { flags: 1, count: 4 },
        { kind: 'irqInfo', flags: 1, count: 4 },
      ],
      [{ value: 3 }, { kind: 'value', value: 3 }],
      [{ status: 66 }, { kind: 'status', status: 66 }],
      [{ positive: 3 }, { kind: 'positive', value: 3 }],
    ])
      expect(readStep({ seq: 1, step: 0, outcome: told }).outcome).toEqual(outcome);
  });

  it.each([
    [{ seq: 1, step: 0, outcome: 'bad' }, 'outcome: expected an errno such as "EINVAL" or "errno 95", got "bad"'],
    [{ seq: 1, step: 0, outcome: {} }, 'outcome: expected "ok", an errno, or an object with count, value'],
    [{ seq: 1, step: 0, signals: { f0: 1 } }, 'signals: expected an eventfd such as "e0", got "f0"'],
    [{ seq: 1, step: 0, signals: { e0: 0 } }, 'signals.e0: expected a whole number from 1 to 4294967295, got 0'],
    [{ seq: 1, step: 0, events: [{ kind: 'signalled' }] }, 'events[0].kind: expected one of "raised", '],
    [
      { seq: 1, step: 0, devices: { 0: { vectors: { 3: 32 } } } },
      'devices.0.vectors.3: expected a whole number from 0',
    ],
    [{ seq: 1, step: 0, devices: [] }, 'devices: expected an object with numbers as names, got []'],
    [{ seq: 1, step: 0, observation: [] }, 'expected no field but seq, step, outcome, '],
    [{ seq: 1 }, 'step: expected a whole number from 0 to 4294967295, got nothing'],
  ])('%j is refused', (value, words) => expect(() => readStep(value)).toThrow(words));

  it('what is declined needs a reason', () => {
    expect(readDeclined({ seq: 1, skipped: 'why' })).toEqual({ kind: 'skipped', reason: 'why' });
    expect(readDeclined({ seq: 1, step: 2, errored: 'why' })).toEqual({ kind: 'errored', reason: 'why' });
    expect(() => readDeclined({ seq: 1, skipped: '' })).toThrow('skipped: expected a text, got ""');
  });
});

describe('the optimised implementation in a process of its own', () => {
  const PROFILES: readonly ProfileName[] = [
    ...(['linux-6.1', 'linux-6.12', 'linux-6.12-static', 'linux-6.1+qemu-7.2', 'linux-6.12+qemu-10.0'] as const),
    ...(['linux-6.12+qemu-10.0/irqfd', 'idxd-mdev', 'idxd-mdev-immediate', 'idxd-mdev+qemu-7.2'] as const),
  ];

  it('answers the same scenarios with the same traces as in this process', async () => {
    const inProcess = optimisedSystem();
    await withSystem(LOOPBACK, 30_000, async (system) => {
      expect({ ...system.support }).toEqual({ ...inProcess.support });
      expect(system.precision).toEqual(inProcess.precision);
      for (const profile of PROFILES)
        for (const scenario of sample(scenarios(inProcess.support, platformOf(profile)), { seed: 17, numRuns: 60 })) {
          const trace = structuredClone(inProcess.run(scenario)) as Trace;
          expect(await system.run(scenario), profile).toEqual(trace);
        }
    });
  });

  it('has the same verdict, counts and clauses', async () => {
    const plan = { seed: 5, scenarios: 150 };
    const here = await campaign(planOf(optimisedSystem(), 'linux-6.12', plan));
    const there = await withSystem(LOOPBACK, 30_000, (system) => campaign(planOf(system, 'linux-6.12', plan)));
    const verdictOf = ({ verdict, operations, divergences, violations, clauses }: typeof here) => ({
      ...{ verdict, operations, divergences, clauses },
      violations: violations.map(({ findings: _, ...violation }) => violation),
    });
    expect(verdictOf(there)).toEqual(verdictOf(here));
    expect(there.verdict).toBe('pass');
  });
});

describe('a harness that goes wrong', () => {
  const run = (fault: string, timeoutMs = 20_000): Promise<Trace> =>
    withSystem(faulty(fault), timeoutMs, async (system) => system.run(SCENARIO));
  const unknown = (reason: string) => ({ outcome: { kind: 'unknown', reason }, events: [], observation: [] });

  it('that says nothing has a time-out, with its last words', async () => {
    const trace = await run('hang', 1000);
    expect(trace.steps).toMatchObject([unknown('time-out')]);
    expect(trace.lastWords).toBe('no line within 1 s\nthinking about it');
  });

  it('that floods stderr has a time-out, and little of that is kept', async () => {
    const trace = await run('flood', 1000);
    expect(trace.steps).toMatchObject([unknown('time-out')]);
    expect(trace.lastWords?.split('\n').slice(0, 3)).toEqual(['no line within 1 s', 'all is well', 'all is well']);
    expect(trace.lastWords?.length).toBeLessThan(8192);
  });

  it('that says much on stderr and answers is as good as any', async () => {
    const trace = await run('chatty');
    expect(trace.lastWords).toBeUndefined();
    expect(trace.steps).toHaveLength(2);
  });

  it('that dies in the middle of a line has crashed, and what it answered before stands', async () => {
    const trace = await run('half');
    expect(trace.steps).toMatchObject([{ outcome: { kind: 'ok' } }, unknown('crash')]);
    expect(trace.lastWords?.split('\n')).toEqual([
      expect.stringMatching(/^it ended in the middle of a line: \{"seq":\d+,"st$/),
      'assertion failed: vector < table',
      'ended by SIGABRT',
      'it crashed again when the scenario was run once more, in a new process',
    ]);
  });

  it('that dies before it shows a machine has crashed too', async () => {
    const trace = await run('dies-at-configure');
    expect(trace).toMatchObject({ initial: [], steps: [unknown('crash')] });
    expect(trace.lastWords).toMatch(/^before it answered configure\nended with exit code 4\n/);
  });

  it('that crashes once is tried once more, and the crash is told all the same', async () => {
    await withSystem(faulty(`once ${join(folder, 'marker')}`), 20_000, async (system) => {
      const trace = await system.run(SCENARIO);
      expect(trace.steps).toMatchObject([unknown('crash')]);
      expect(trace.lastWords).toContain('ended with exit code 3\nit did not crash when the scenario was run once more');
      expect((await system.run(SCENARIO)).steps).toHaveLength(2);
    });
  });

  const DEADLY: Scenario = { config: CONFIG, operations: ['device.raise 1', 'device.raise 9'].map(parseOperation) };
  const ask = (fault: string, timeoutMs: number, scenarios: readonly Scenario[]): Promise<readonly Trace[]> =>
    withSystem(faulty(fault), timeoutMs, (system) => Promise.all(scenarios.map((scenario) => system.run(scenario))));

  it.each([
    ['lazy-exit', 'crash', 'ended with exit code 3\nit crashed again when the scenario was run once more'],
    ['lazy-hang', 'time-out', 'no line within 1 s\nit hung again when the scenario was run once more'],
  ])(
    'that keeps answers back (%s) dies of its own scenario, and not of the one before',
    async (fault, reason, words) => {
      const traces = await ask(fault, 1000, [SCENARIO, SCENARIO, DEADLY, SCENARIO]);
      expect(traces.map(({ lastWords }) => lastWords?.includes(words))).toEqual([
        undefined,
        undefined,
        true,
        undefined,
      ]);
      expect(traces.map(({ steps }) => steps.at(-1)?.outcome)).toEqual([
        ...[{ kind: 'ok' }, { kind: 'ok' }, { kind: 'unknown', reason }, { kind: 'ok' }],
      ]);
      expect(traces.map(({ steps }) => steps.length)).toEqual([2, 2, 1, 2]);
    },
  );

  it('that dies once while several scenarios are on their way has crashed in one', async () => {
    const traces = await ask(`lazy-once ${join(folder, 'lazy')}`, 20_000, [SCENARIO, DEADLY, SCENARIO]);
    const told =
      'it did not crash when the scenario was run once more, in a new process: what was asked before or with';
    expect(traces.map(({ lastWords }) => lastWords?.includes(told))).toEqual([true, undefined, undefined]);
    expect(traces.map(({ steps }) => steps.length)).toEqual([1, 2, 2]);
  });

  it('that hangs in all it is asked is waited for twice in the first alone', async () => {
    const traces = await ask('hang', 500, [SCENARIO, SCENARIO, SCENARIO]);
    expect(traces.map(({ lastWords }) => lastWords)).toEqual([
      expect.stringContaining('it hung again when the scenario was run once more'),
      ...[1, 2].map(() => 'no line within 0.5 s\nthinking about it'),
    ]);
  });

  it('has several scenarios on their way again after it has died', async () => {
    const drawn = [SCENARIO, SCENARIO, DEADLY, ...Array.from({ length: 12 }, () => SCENARIO)];
    const left = drawn.values();
    const together: number[] = [];
    await withSystem(faulty('lazy-exit'), 20_000, async (system) => {
      const lane = async (): Promise<void> => {
        for (const scenario of left) {
          const outcome = (await system.run(scenario)).steps[0]?.outcome;
          if (outcome?.kind === 'positive') together.push(outcome.value);
        }
      };
      await Promise.all(Array.from({ length: 4 }, lane));
    });
    expect(Math.max(...together.slice(-5))).toBeGreaterThan(1);
  });

  it.each([
    ['order', 'expected the answer to operation 0, got that to 1'],
    ['sequence', 'expected an answer with sequence number 3, got 2'],
    ['not-json', 'expected a line of JSON, got: DEBUG: entering run'],
    ['shape', 'got "signal" in: {"seq":3,"step":0,'],
    ['state', 'device 1 was told of, and there is none'],
    ['long-line', 'a line is longer than 4 MiB'],
    ['endless-line', 'a line is longer than 4 MiB'],
    ['endless-lines', 'expected the answer to operation 1, got that to 0'],
    ['errors', 'operation 0 (device.raise 1) was errored: the device was taken away'],
  ])('that is broken (%s) has failed itself: nothing is known of the system', async (fault, words) => {
    const failure = await run(fault).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HarnessError);
    expect(String(failure)).toContain(words);
  });

  it('is neither wrong nor right where it skips', async () => {
    expect(await run('skips')).toMatchObject({ steps: [], skipped: 'no interrupts on Sundays', initial: [{}] });
    expect(await run('refuses')).toEqual({ initial: [], steps: [], skipped: 'not today' });
    const result = await withSystem(faulty('skips'), 20_000, (system) =>
      campaign(planOf(system, 'linux-6.12', { scenarios: 5 })),
    );
    expect(result).toMatchObject({ verdict: 'skipped', findings: [], operations: 0, divergences: 0, clauses: {} });
    expect(result.reason).toMatch(/^(\d+) of \1 scenarios were left at .* the first: no interrupts on Sundays$/);
  });

  it('costs a campaign three scenarios, and no more, where it never answers', async () => {
    const result = await withSystem(faulty('exit'), 20_000, (system) =>
      campaign(planOf(system, 'linux-6.12', { scenarios: 5000 })),
    );
    expect(result).toMatchObject({ verdict: 'fail', scenarios: 3 });
    expect(result.findings.map(({ verdict }) => verdict)).toContain('unknown');
  });

  it('is ended when it does not stop', async () => {
    const client = startClient(commandOf(faulty('stays')), 20_000);
    await greet(client);
    expect(await client.stop()).toBe('stop was not answered (time-out)');
  });
});

describe('a campaign on a harness that goes wrong', () => {
  /** What the command line makes of it: exit code, text, and the most memory that it had, in MiB. */
  function cli(name: string, ...args: readonly string[]): Promise<{ code: number; out: string; mebibytes: number }> {
    const measured = join(folder, `memory-${Math.random()}`);
    const measure =
      'import { writeFileSync } from "node:fs"; process.on("exit", () => ' +
      `writeFileSync(${JSON.stringify(measured)}, String(process.resourceUsage().maxRSS / 1024)))`;
    const hook = `data:text/javascript,${encodeURIComponent(measure)}`;
    const root = join(import.meta.dirname, '../..');
    const command = ['--import', hook, '--import', 'tsx', join(root, 'cli.ts'), 'run', '--system', name];
    const options = ['--profile', 'linux-6.12', '--seed', '1', '--runs', '20', '--out', join(folder, 'out'), ...args];
    const env = { ...process.env, VFIO_IRQ_STDIO_TIMEOUT_MS: '2000' };
    return new Promise((resolve) => {
      const child = execFile(process.execPath, [...command, ...options], { env, cwd: root }, (_, out) =>
        resolve({ code: child.exitCode ?? -1, out, mebibytes: Number(readFileSync(measured, 'utf8')) }),
      );
    });
  }

  it.each([
    ['hang', 1, 'The system did not answer operation 0 in time.'],
    ['flood', 1, 'The system did not answer operation 0 in time.'],
    ['half', 1, 'The system crashed at operation 0.'],
    ['order', 4, 'expected the answer to operation 0, got that to'],
    ['long-line', 4, 'a line is longer than 4 MiB'],
    ['endless-lines', 4, 'expected the answer to operation 1, got that to 0'],
    ['skips', 0, 'the first: no interrupts on Sundays'],
  ])('%s: exit code %i, and says why, in less than 300 MiB', async (fault, code, words) => {
    const answer = await cli(faulty(fault));
    expect([answer.code, answer.out]).toEqual([code, expect.stringContaining(words)]);
    expect(answer.mebibytes).toBeGreaterThan(20);
    expect(answer.mebibytes).toBeLessThan(300);
  });

  it('a finding is replayed only by a program that somebody has named', async () => {
    const { out } = await cli(faulty('exit'));
    const [, file = ''] = /replay (\S+\.jsonl) --system '/.exec(out) ?? [];
    const answers = [await replay(file), await replay(file, '--system', faulty('exit'))];
    expect(answers.map(({ code }) => code)).toEqual([2, 1]);
    expect(answers[0]?.error).toContain('expected --system, as it names a program to run: --system');
    expect(answers[1]?.out).toContain('The verdict is as recorded: unknown.');
  });

  function replay(...args: readonly string[]): Promise<{ code: number; out: string; error: string }> {
    const root = join(import.meta.dirname, '../..');
    const command = ['--import', 'tsx', join(root, 'cli.ts'), 'replay', ...args];
    return new Promise((resolve) => {
      const child = execFile(process.execPath, command, { cwd: root }, (_, out, error) =>
        resolve({ code: child.exitCode ?? -1, out, error }),
      );
    });
  }
});
