import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPERATION_KINDS, type Support } from '#vocabulary';
import { smoke } from './smoke.ts';
import { exampleOf, livelyScenario, tooManyDevices } from './smoke-scenarios.ts';
import { commandOf } from './system.ts';

const ROOT = join(import.meta.dirname, '../..');
const faulty = (fault: string): string =>
  `stdio:${process.execPath} ${join(import.meta.dirname, 'faulty.fixture.js')} ${fault}`;

async function failedBy(name: string): Promise<readonly [string, string, string][]> {
  const checks = await smoke(commandOf(name), 20_000);
  return checks.flatMap(({ name: check, saw, next }) => (next === undefined ? [] : [[check, saw, next]]));
}

describe('the smoke test', () => {
  it('is passed by a harness that does as the protocol says, right or wrong', async () => {
    const checks = await smoke(commandOf(faulty('fine')), 20_000);
    expect(checks.map(({ name, next }) => [name, next])).toEqual(
      [
        'hello',
        'host',
        'configure',
        'operations',
        'observe',
        'order',
        'refusal',
        'fresh start',
        'determinism',
        'stop',
      ].map((name) => [name, undefined]),
    );
  });

  it.each([
    ['newer', 'hello', 'protocol: expected 1, got 2', 'see "hello" in impl/stdio/PROTOCOL.md'],
    ['accepts', 'refusal', 'a machine of 2 devices was set up, and hello says 1 at most', 'answer configure with'],
    ['hides', 'observe', 'observe says {"enable":true', 'name in each answer every vector'],
    ['small', 'order', 'expected an answer with sequence number 4000000001, got -294967295', 'see "Lines"'],
    [
      'drifts',
      'determinism',
      'the same scenario is answered otherwise after others: operation 0: first',
      'let nothing',
    ],
    [
      'tiny',
      'host',
      'it has a host of its own, and no function with 2 MSI-X vectors or more',
      'say "functions" of such a size in hello, or "host":"any"',
    ],
    ['stays', 'stop', 'stop was not answered (time-out)', 'answer stop with {"seq":...}, flush stdout and end'],
  ])('a harness that %s fails one check, which says why and what to do', async (fault, check, saw, next) => {
    const failed = await failedBy(faulty(fault));
    expect(failed).toEqual([[check, expect.stringContaining(saw), expect.stringContaining(next)]]);
  });

  it.each([
    ['remembers', 'fresh start', 'the same scenario was answered otherwise the second time', 'forget everything'],
    [
      'skips',
      'operations',
      'skipped (no interrupts on Sundays) what hello says it supports: operation 0',
      'leave it out',
    ],
    ['exit', 'operations', 'crashed at operation 0, ', 'find out why the program ended'],
    ['dies-at-configure', 'configure', 'before it answered configure', 'find out why the program ended'],
    ['order', 'order', 'expected the answer to operation 0, got that to', 'see "Lines" in impl/stdio/PROTOCOL.md'],
  ])('a harness that %s fails this one among others', async (fault, check, saw, next) => {
    const failed = await failedBy(faulty(fault));
    expect(failed).toContainEqual([check, expect.stringContaining(saw), expect.stringContaining(next)]);
  });
});

describe('the command', () => {
  function cli(...args: readonly string[]): Promise<{ code: number; out: string; error: string }> {
    const command = ['--import', 'tsx', join(ROOT, 'cli.ts'), 'smoke', ...args];
    return new Promise((resolve) => {
      const child = execFile(process.execPath, command, { cwd: ROOT }, (_, out, error) =>
        resolve({ code: child.exitCode ?? -1, out, error }),
      );
    });
  }

  it('says how many passed, and what is next', async () => {
    const [fine, accepts] = await Promise.all([cli(faulty('fine')), cli(faulty('accepts'))]);
    expect([fine.code, fine.out]).toEqual([
      0,
      expect.stringMatching(/\n10 of 10 passed\. Next: npm start -- run --system '[^\n]*'\n$/),
    ]);
    expect([accepts.code, accepts.out]).toEqual([
      1,
      expect.stringMatching(/\n9 of 10 passed\. Next: refusal: answer configure with /),
    ]);
  });

  it('refuses what is no harness, in one line', async () => {
    const names = ['optimised', "stdio:a 'b", 'stdio:./nowhere', 'stdio:./impl'];
    const answers = await Promise.all([cli(), ...names.map((name) => cli(name))]);
    expect(answers.map(({ code, error }) => [code, error])).toEqual([
      [2, 'vfio-irq: smoke: expected one stdio:COMMAND, got nothing\n'],
      [2, 'vfio-irq: smoke: expected one stdio:COMMAND, got optimised\n'],
      [2, "vfio-irq: stdio: expected a closing quote in: 'b\n"],
      [3, 'vfio-irq: stdio:./nowhere: not ready: there is no program ./nowhere; name one that can be run\n'],
      [3, 'vfio-irq: stdio:./impl: not ready: there is no program ./impl; name one that can be run\n'],
    ]);
  });
});

describe('what the smoke test asks', () => {
  const all: Support = {
    operations: new Set(OPERATION_KINDS),
    functions: 'any',
    withoutRemapping: true,
    vmm: 'configured',
    devicesMax: 2,
    host: 'configured',
  };

  it('is an operation of each kind, where there is a machine for it', () => {
    for (const kind of OPERATION_KINDS) expect(exampleOf(kind, all)?.operations, kind).toMatchObject([{ kind }]);
    expect(exampleOf('guest.mask', { ...all, vmm: 'none', operations: new Set(['guest.mask']) })).toBeUndefined();
  });

  it('is about the plainest machine it can be, and about one device too many', () => {
    const own: Support = {
      ...all,
      functions: [{ msixVectors: 8, whileOff: 'latches', intx: true }, ...tables(9, 3, 1)],
    };
    expect(livelyScenario(own).config.devices).toEqual(tables(3));
    expect(tooManyDevices(own).config.devices).toEqual(tables(3, 3, 3));
    const { config, operations } = livelyScenario({ ...all, vmm: { allocation: 'all-at-enable', delivery: 'irqfd' } });
    expect(config.vmm).toEqual({ allocation: 'all-at-enable', delivery: 'irqfd' });
    expect(operations.some(({ kind }) => kind === 'guest.unmask')).toBe(true);
    expect(operations.some(({ kind }) => kind === 'vfio.setIrqs')).toBe(false);
  });

  function tables(...sizes: readonly number[]) {
    return sizes.map((msixVectors) => ({ msixVectors, whileOff: 'latches' as const }));
  }
});
