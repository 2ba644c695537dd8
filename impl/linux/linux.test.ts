import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Config, HarnessError, parseOperation, printEvent, printOutcome, type Scenario } from '#vocabulary';
import { cpio } from './initramfs.ts';
import { dependencies, prepareUserKernel } from './prepare.ts';
import { decodeAnswer, encodeScenario } from './protocol.ts';
import { linuxFactory, linuxSystem } from './system.ts';
import type { Said, Vm } from './vm.ts';

const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-linux-'));
afterAll(() => rmSync(folder, { recursive: true }));

function scenario(
  lines: readonly string[],
  devices: Config['devices'] = [{ msixVectors: 10, whileOff: 'drops' }],
): Scenario {
  const host = { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' } as const;
  return { config: { host, devices }, operations: lines.map(parseOperation) };
}

describe('the initramfs', () => {
  it('is a newc archive: fields in hexadecimal, names and contents padded to four bytes', () => {
    const archive = cpio([{ name: 'init', mode: 0o100755, content: Buffer.from('abcde') }]).toString('latin1');
    const field = (place: number): number => Number.parseInt(archive.slice(6 + place * 8, 14 + place * 8), 16);
    expect(archive.slice(0, 6)).toBe('070701');
    expect([field(1), field(6), field(11)]).toEqual([0o100755, 5, 5]);
    expect(archive.slice(110, 124)).toBe('init\0\0abcde\0\0\0');
    expect(archive.slice(124, 130)).toBe('070701');
    expect(archive).toContain('TRAILER!!!');
    expect(archive.length % 4).toBe(0);
  });

  it('holds the modules that a module names as its dependencies', () => {
    expect(dependencies(Buffer.from('x\0depends=vfio-pci-core,irqbypass\0name=y\0'))).toEqual([
      'vfio_pci_core',
      'irqbypass',
    ]);
    expect(dependencies(Buffer.from('x\0depends=\0'))).toEqual([]);
    expect(dependencies(Buffer.from('no such text'))).toEqual([]);
  });
});

describe('the protocol', () => {
  it('writes a scenario line by line', () => {
    const lines = [
      'vfio.open',
      'vfio.close @1',
      'vfio.getIrqInfo MSIX argsz=12 unreadable',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+7 [e3 -1 -2 bad notEventfd 7 4294967295]',
      'vfio.setIrqs MSIX BOOL|TRIGGER 1+3 [0 258 e1] argsz=99',
      'vfio.setIrqs MSIX NONE|TRIGGER 4294967295+4294967295 [e1]',
      'vfio.closeEventfd e3',
      'device.raise 4294967295',
      'device.arm 2 teardown-gap @1',
      'host.limitVectors 4',
      ...['vfio.reset', 'vfio.configWrite msiEnable 1', 'vfio.configWrite msixControl 49152', 'vfio.configRead power'],
      ...['vfio.tableWrite 3 4294967295', 'vfio.tableRead 3 @1', 'vfio.pbaRead 9', 'vfio.mapBar', 'vfio.unmapBar @1'],
      ...['vfio.writeEventfd e4', 'device.assertIntx', 'device.deassertIntx', 'device.wipe @1'],
    ];
    const at = scenario(lines, [
      { msixVectors: 10, whileOff: 'drops' },
      { msixVectors: 36, whileOff: 'latches' },
    ]);
    expect(encodeScenario(at, [0, 2], true).split('\n')).toEqual([
      'S 2 0:1 2:0',
      'F',
      'o 0',
      'c 1',
      'g 0 2 12 1',
      's 0 36 2 0 7 48 0 7 e1 -1 -2 1000000 p 1000000 -1',
      's 0 34 2 1 3 99 0 3 0 2 1',
      's 0 33 2 4294967295 4294967295 20 0 0',
      'x 1',
      'r 0 2147483647',
      'a 1 2',
      'l 4',
      ...['z 0', 'p 0 4 1', 'p 0 5 49152', 'q 0 3', 'u 0 3 4294967295', 't 1 3', 'b 0 9', 'm 0', 'n 1'],
      ...['w 2', 'i 0', 'd 0', 'k 1'],
      'E',
      '',
    ]);
  });

  it('has no words for what a real kernel cannot be asked', () => {
    expect(() => encodeScenario(scenario(['host.failAllocation 1']), [0], false)).toThrow(HarnessError);
  });

  it('reads an answer', () => {
    const line = 'A -28|1:2,0:1|1 0 9 0 0=3,7=8|0 0 0 29 0=20';
    const { outcome, signalled, observation } = decodeAnswer(line, 2, ['e3', 'e12']);
    expect(printOutcome(outcome)).toBe('ENOSPC');
    expect(signalled.map(printEvent)).toEqual(['e3 +1', 'e12 +2']);
    const first = { enable: true, functionMask: false, msixInfoFlags: 9, registers: 0 };
    expect(observation).toEqual([
      {
        ...first,
        changes: [
          { vector: 0, state: 3 },
          { vector: 7, state: 8 },
        ],
      },
      { enable: false, functionMask: false, msixInfoFlags: 0, registers: 29, changes: [{ vector: 0, state: 20 }] },
    ]);
  });

  it.each([
    ['A 0||0 0 0 0 ', 'ok'],
    ['A 3||0 0 0 0 ', 'returns 3'],
    ['A i 9 10||0 0 0 0 ', 'flags 9 count 10'],
    ['A v 4294967295||0 0 0 0 ', 'reads 4294967295'],
    ['A v 0||0 0 0 0 ', 'reads 0'],
    ['A -95||0 0 0 0 ', 'errno 95'],
  ])('reads the outcome of %s', (line, text) => {
    expect(printOutcome(decodeAnswer(line, 1, []).outcome)).toBe(text);
  });

  it.each(
    [
      ['', 'hello', 'A ', 'A ok||0 0 0 0 ', 'A 0||0 0 0 0 |0 0 0 0 ', 'A 0||2 0 0 0 ', 'A 0||0 0 0 0 1='],
      ['A 0|0:1|0 0 0 0 ', 'A 0||0 0 0 ', 'A v -1||0 0 0 0 ', 'A v||0 0 0 0 '],
      ['X holder: No space left on device', 'D'],
    ].flat(),
  )('refuses %s', (line) => {
    expect(() => decodeAnswer(line, 1, [])).toThrow(HarnessError);
  });
});

describe('a machine', () => {
  const IDLE = 'A 0||0 0 1 0 ';

  /** A machine that says what it is told to, and counts how often one is started and ended. */
  function machines(...scripts: readonly (readonly (string | 'ended' | 'silent')[])[]): {
    boot: () => Promise<Vm>;
    started: () => number;
    ended: () => number;
  } {
    let started = 0;
    let ended = 0;
    const boot = async (): Promise<Vm> => {
      const script = [...(scripts[started] ?? [])];
      started += 1;
      return {
        send: () => undefined,
        line: async (): Promise<Said> => {
          const said = script.shift() ?? 'ended';
          return said === 'ended' || said === 'silent' ? { kind: said } : { kind: 'line', text: said };
        },
        lastWords: () => 'Kernel panic - not syncing',
        end: async () => {
          ended += 1;
        },
      };
    };
    return { boot, started: () => started, ended: () => ended };
  }

  it('answers a scenario, with the raises that the scenario tells', async () => {
    const { boot } = machines([IDLE, IDLE, 'A 0|0:1|0 0 1 0 ', IDLE, 'A -22||0 0 1 0 ', IDLE, IDLE, 'D']);
    const system = await linuxSystem('linux', boot);
    const disable = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';
    const { steps } = await system.run(
      scenario([
        ...['device.arm 2 teardown-gap', disable, 'device.arm 1 teardown-gap', disable, 'device.raise 0'],
        'vfio.closeEventfd e900',
      ]),
    );
    expect(steps.map(({ events }) => events.map(printEvent))).toEqual([
      [],
      ['raised 2 in teardown-gap', 'e900 +1'],
      [],
      ['raised 1'],
      ['raised 0'],
      [],
    ]);
  });

  it.each<readonly [string, string | undefined]>([
    ['vfio.setIrqs MSI NONE|TRIGGER 0+0 []', 'raised 0 in teardown-gap'],
    ['vfio.setIrqs INTX NONE|TRIGGER 0+0 []', 'raised 0'],
    ...['vfio.reset', 'vfio.configWrite memory 0', 'vfio.configRead memory', 'vfio.tableRead 0', 'vfio.tableWrite 0 1']
      .concat('vfio.pbaRead 0', 'vfio.mapBar', 'vfio.unmapBar', 'vfio.open', 'vfio.close', 'vfio.getIrqInfo MSI')
      .map((line) => [line, 'raised 0'] as const),
    ...['vfio.writeEventfd e0', 'vfio.closeEventfd e0', 'device.assertIntx', 'device.deassertIntx', 'device.wipe']
      .concat('host.limitVectors 1', 'vfio.reset @1')
      .map((line) => [line, undefined] as const),
  ])('lets an armed raise happen at the call that it waits for: %s', async (line, raised) => {
    const both = IDLE.concat('|0 0 1 0 ');
    const { boot } = machines([both, both, both, 'D']);
    const device = { msixVectors: 10, whileOff: 'latches' as const };
    const system = await linuxSystem('linux', boot);
    const { steps } = await system.run(scenario(['device.arm 0 teardown-gap', line], [device, device]));
    expect(steps[1]?.events.map(printEvent)).toEqual(raised === undefined ? [] : [raised]);
  });

  it('without interrupt remapping is another one, and only the one that crashed is replaced', async () => {
    const { boot, started, ended } = machines([IDLE, 'D', IDLE, 'D'], ['silent'], [IDLE, 'D']);
    const remapped: boolean[] = [];
    const system = await linuxSystem('linux', (remapping) => {
      remapped.push(remapping);
      return boot();
    });
    const { config } = scenario([]);
    const without = { config: { ...config, interruptRemapping: false as const }, operations: [] };
    await system.run({ config, operations: [] });
    await expect(system.run(without)).rejects.toThrow('the agent did not begin a scenario');
    await system.run({ config, operations: [] });
    await system.run(without);
    expect([remapped, started(), ended()]).toEqual([[true, false, false], 3, 1]);
    await system.close();
    expect(ended()).toBe(3);
  });

  it('that is still being started when the system is closed is ended too', async () => {
    const { boot, started, ended } = machines(['silent'], [IDLE, 'D'], [IDLE, 'D']);
    let boots = 0;
    const system = await linuxSystem('linux', async () => {
      boots += 1;
      if (boots > 1) await new Promise((resolve) => setTimeout(resolve, 50));
      return boot();
    });
    const runs = [0, 1, 2].map(async () => system.run(scenario([])));
    await expect(runs[0]).rejects.toThrow('the agent did not begin a scenario');
    await Promise.all([system.close(), ...runs.slice(1).map((run) => run.catch(() => undefined))]);
    expect([started(), ended()]).toEqual([3, 3]);
    await expect(system.run(scenario([]))).rejects.toThrow('linux was asked after it was closed');
  });

  it('that crashes ends the run with what it said last; the next run has a new one', async () => {
    const { boot, started, ended } = machines([IDLE, 'ended'], [IDLE, IDLE, 'ended'], [IDLE, IDLE, 'D']);
    const system = await linuxSystem('linux', boot);
    const trace = await system.run(scenario(['vfio.close', 'vfio.open']));
    expect(trace.steps.map(({ outcome }) => printOutcome(outcome))).toEqual(['ok', 'unknown (crash)']);
    expect(trace.lastWords).toBe('Kernel panic - not syncing');
    expect((await system.run(scenario(['vfio.close']))).steps).toHaveLength(1);
    await system.close();
    expect([started(), ended()]).toEqual([3, 3]);
  });

  it('that crashes when everything is closed has died of the scenario', async () => {
    const { boot, ended } = machines([IDLE, IDLE, IDLE, 'ended'], [IDLE, IDLE, IDLE, 'ended']);
    const system = await linuxSystem('linux', boot);
    const trace = await system.run(scenario(['vfio.close', 'vfio.open']));
    expect(trace.steps.map(({ outcome }) => printOutcome(outcome))).toEqual(['ok', 'unknown (crash)']);
    expect(trace.lastWords).toBe('after the last operation, while everything was closed:\nKernel panic - not syncing');
    expect(ended()).toBe(2);
  });

  it('that crashed once and not again is still a crash', async () => {
    const { boot } = machines([IDLE, 'silent'], [IDLE, IDLE, 'D']);
    const trace = await (await linuxSystem('linux', boot)).run(scenario(['vfio.close']));
    expect(trace.steps.map(({ outcome }) => printOutcome(outcome))).toEqual(['unknown (time-out)']);
  });

  it('that says what nobody understands is a failure of the harness, and is not used again', async () => {
    const { boot, ended } = machines(
      [IDLE, 'gibberish'],
      ['ended'],
      [IDLE, IDLE, 'X a device is not fresh'],
      [IDLE, IDLE, 'D'],
    );
    const system = await linuxSystem('linux', boot);
    await expect(system.run(scenario(['vfio.close']))).rejects.toThrow(
      new HarnessError('the agent answered: gibberish'),
    );
    await expect(system.run(scenario(['vfio.close']))).rejects.toThrow('the agent did not begin a scenario');
    await expect(system.run(scenario(['vfio.close']))).rejects.toThrow('the agent answered: X a device is not fresh');
    expect(ended()).toBe(3);
    expect((await system.run(scenario(['vfio.close']))).steps).toHaveLength(1);
  });

  it('has no device that it was not given', async () => {
    const { boot } = machines([IDLE]);
    const three = Array.from({ length: 3 }, () => ({ msixVectors: 10, whileOff: 'drops' as const }));
    const system = await linuxSystem('linux', boot);
    await expect(system.run(scenario([], three))).rejects.toThrow('no further device msixVectors=10; it has ');
    const withPin = [{ msixVectors: 10, whileOff: 'drops' as const, intx: true as const }];
    await expect(system.run(scenario([], withPin))).rejects.toThrow('no further device msixVectors=10 intx; it has ');
  });
});

describe('a kernel of the user', () => {
  it('is made again when a module below the same image has changed', () => {
    const image = join(folder, 'bzImage');
    const modules = join(folder, 'modules');
    mkdirSync(modules);
    writeFileSync(image, 'image');
    writeFileSync(join(modules, 'vfio-pci.ko'), 'x\0depends=vfio-pci-core\0');
    const content = (): string => {
      const kernel = prepareUserKernel(image, modules);
      const files = readFileSync(join(kernel.folder, 'modules', 'order'), 'latin1')
        .trim()
        .split('\n');
      return files.map((file) => readFileSync(join(kernel.folder, 'modules', file), 'latin1')).join('; ');
    };
    withCache(() => {
      writeFileSync(join(modules, 'vfio-pci-core.ko'), 'first');
      expect(content()).toBe('first; x\0depends=vfio-pci-core\0');
      writeFileSync(join(modules, 'vfio-pci-core.ko'), 'second');
      expect(content()).toBe('second; x\0depends=vfio-pci-core\0');
    });
  });
});

/** Does something with a cache folder of its own. */
function withCache(work: () => void): void {
  const before = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
  try {
    work();
  } finally {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
  }
}

describe('readiness', () => {
  const image = join(folder, 'vmlinuz');
  writeFileSync(image, '');

  it.each<[string, { modules?: string }, RegExp]>([
    ['linux-5.10', {}, /no kernel is called linux-5\.10/],
    [`linux:${join(folder, 'nowhere.deb')}`, {}, /nowhere\.deb is not there/],
    [`linux:${image}`, {}, /vmlinuz is an image without modules/],
    [`linux:${image}`, { modules: join(folder, 'nowhere') }, /nowhere is not there/],
  ])('of %s %j says what is missing', (name, options, reason) => {
    const readiness = linuxFactory(name, options).readiness();
    expect(readiness.ready ? 'ready' : readiness.reason).toMatch(reason);
  });

  it('of a kernel that was not fetched names the command', () => {
    withCache(() => {
      const readiness = linuxFactory('linux-6.1').readiness();
      expect(readiness).toMatchObject({ ready: false, command: 'npm run systems:install' });
    });
  });
});
