import { describe, expect, it } from 'vitest';
import {
  type Config,
  type Observation,
  PENDING,
  parseOperation,
  type Step,
  type Trace,
  UNMASKED,
  vmmEventfd,
} from '#vocabulary';
import { hostTraits } from '../../model/profiles.ts';
import { RecordError, readRecorded, writeFinding } from './record.ts';
import type { Finding } from './verdict.ts';

const CONFIG: Config = {
  host: hostTraits('linux-6.1'),
  vmm: { allocation: 'as-irq-info-says', delivery: 'irqfd' },
  devices: [{ msixVectors: 4, whileOff: 'drops', intx: true }],
};

function observe(changes: { readonly vector: number; readonly state: number }[], enable: boolean): Observation {
  return [
    {
      enable,
      functionMask: false,
      msixInfoFlags: 9,
      registers: 0,
      changes,
      guest: { enable, functionMask: !enable, changes },
    },
  ];
}

const STEPS: readonly Step[] = [
  {
    outcome: { kind: 'ok' },
    events: [{ kind: 'raised', device: 0, vector: 2, window: 'after-set' }],
    observation: observe([{ vector: 2, state: UNMASKED | PENDING }], true),
    calls: [
      { kind: 'kvm.setGsiRouting' },
      { kind: 'kvm.irqfd', eventfd: vmmEventfd(0, 'irqfd', 2), assign: true },
      {
        kind: 'vfio',
        operation: {
          ...{ kind: 'vfio.setIrqs', device: 0, flags: 0x24, index: 2, start: 0, count: 3 },
          data: [-1, -1, vmmEventfd(0, 'irqfd', 2)],
        },
        outcome: { kind: 'errno', errno: 'ENOSPC' },
      },
      { kind: 'vfio', operation: { kind: 'vfio.reset', device: 0 }, outcome: { kind: 'ok' } },
    ],
    clauses: ['vmm.use.grows'],
  },
  {
    outcome: { kind: 'value', value: 0xfffffffe },
    events: [{ kind: 'message', device: 0, address: 0xfffffffc, high: 1, data: 0x4002, count: 2 }],
    observation: observe([], true),
    calls: [],
    clauses: [],
  },
];

const OPERATIONS = ['guest.unmask 2', 'guest.tableRead 2 +12'].map(parseOperation);

function findingOf(): Finding {
  const trace: Trace = { initial: observe([], false), steps: STEPS };
  return {
    ...{ id: '0123abcd', verdict: 'divergence', system: 'vmm', profile: 'linux-6.1', subjectProfile: 'linux-6.1' },
    seed: 5,
    scenario: { config: CONFIG, operations: OPERATIONS },
    judgement: { reference: trace, subject: trace, divergences: [], violations: [] },
  };
}

/** A scenario file of these operations on the machine with the VMM, or with another one. */
function fileOf(operations: readonly object[], config: object = CONFIG): string {
  return JSON.stringify({ schema: 'vfio-irq/scenario@1', config, operations });
}

/** Every operation that a guest's machine can be asked, once in each of its forms. */
const LINES: readonly string[] = [
  'guest.msixControl enable function-mask',
  'guest.configWrite +11/1 0xff',
  'guest.configWrite +0/4 0xffffffff',
  'guest.mask 2047',
  'guest.unmask 0',
  'guest.tableWrite 3 +15/1 0x1',
  'guest.tableWrite 0 +8/8 0x4000 high=0xfffffffe',
  'guest.tableWrite 0 +0/8 0x4000',
  'guest.tableRead 1 +8',
  'guest.readPba 0',
  'guest.busMaster disable',
  'guest.reset',
  'device.raise 1',
  'device.arm 1 before-call',
  'device.arm 1 after-set',
  'host.limitVectors 2',
  'host.failAllocation 1',
];

describe('a record of a guest', () => {
  it('that is a finding is read back as it was written', () => {
    const finding = findingOf();
    expect(readRecorded(writeFinding(finding), 'f.jsonl')).toEqual({ kind: 'finding', finding });
  });

  it('that is a scenario is read back as it was written', () => {
    const operations = LINES.map(parseOperation);
    const scenario = { config: CONFIG, operations };
    expect(readRecorded(fileOf(operations), 's')).toEqual({ kind: 'scenario', scenario });
  });

  it('that says nothing of Function Mask has it clear', () => {
    const recorded = readRecorded(fileOf([{ kind: 'guest.msixControl', enable: true }]), 's');
    const { operations } = recorded.kind === 'scenario' ? recorded.scenario : { operations: [] };
    expect(operations).toEqual([parseOperation('guest.msixControl enable')]);
  });

  const write = { kind: 'guest.tableWrite', vector: 0, offset: 0, width: 4, value: 0 };
  const config = { kind: 'guest.configWrite', offset: 0, width: 4, value: 0 };
  it.each<[object, RegExp]>([
    [{ ...write, offset: 16 }, /^s: operations\[0\]\.offset: too big: expected number to be <=15$/],
    [{ ...write, width: 3 }, /^s: operations\[0\]\.width: invalid option: expected one of 1\|2\|4\|8$/],
    [{ ...write, value: 2 ** 32 }, /^s: operations\[0\]\.value: too big/],
    [{ ...write, high: 0 }, /^s: operations\[0\]\.high: expected nothing beside a width of 4, got 0$/],
    [{ ...config, offset: 12 }, /^s: operations\[0\]\.offset: too big: expected number to be <=11$/],
    [{ ...config, width: 8 }, /^s: operations\[0\]\.width: invalid option: expected one of 1\|2\|4$/],
    [{ kind: 'guest.tableRead', vector: 0, offset: 2 }, /^s: operations\[0\]\.offset: invalid option/],
    [{ kind: 'guest.msixControl' }, /^s: operations\[0\]\.enable: invalid input/],
    [{ kind: 'device.arm', vector: 0, window: 'later' }, /^s: operations\[0\]\.window: invalid option/],
  ])('that is out of range is refused: %j', (operation, message) => {
    expect(() => readRecorded(fileOf([operation]), 's')).toThrow(RecordError);
    expect(() => readRecorded(fileOf([operation]), 's')).toThrow(message);
  });

  it('with a VMM that does not exist is refused', () => {
    const vmm = { allocation: 'some', delivery: 'irqfd' };
    expect(() => readRecorded(fileOf([], { ...CONFIG, vmm }), 's')).toThrow(/^s: config\.vmm\.allocation: invalid/);
  });

  it('that asks the machine what it cannot be asked is refused', () => {
    const [raise, unmask, reset] = ['device.raise 0', 'guest.unmask 0', 'vfio.reset'].map((line) =>
      parseOperation(line),
    );
    const { vmm: _vmm, ...raw } = CONFIG;
    expect(() => readRecorded(fileOf([raise as object, reset as object]), 's')).toThrow(
      /^s: operations\[1\]: expected a guest's operation or the device's, as the machine has a VMM, got vfio\.reset$/,
    );
    expect(() => readRecorded(fileOf([unmask as object], raw), 's')).toThrow(
      /^s: operations\[0\]: expected anything but a guest's operation, as the machine has no VMM, got guest\.unmask$/,
    );
    const finding = findingOf();
    const operations = finding.scenario.operations.with(1, reset as (typeof OPERATIONS)[number]);
    const text = writeFinding({ ...finding, scenario: { config: CONFIG, operations } });
    expect(() => readRecorded(text, 'f')).toThrow(/^f: operations\[1\]: expected a guest's operation/);
  });
});
