/** A small run, made by hand: one of everything a report has to tell. */
import type { Clause, DeviceObservation, Observation, Scenario, Step, VectorChange } from '#vocabulary';
import { ALLOCATED, ARMED, UNMASKED } from '#vocabulary';
import type { CampaignResult, Finding, RunResult } from '../properties/runner/verdict.ts';
import { COVERAGE, NO_COVERAGE, WITNESSES } from './coverage-fixture.ts';
import type { Glossary } from './glossary.ts';
import { GUEST_LOST } from './guest-fixture.ts';

const ARMED_STATE = ALLOCATED | ARMED | UNMASKED;

const CLAUSES: readonly Clause[] = [
  {
    id: 'pci.msix.drops-while-off',
    title: 'A function that keeps no events forgets one that comes while MSI-X is off.',
    source: 'PCIe 6.0, 7.7.2.2: software is not guaranteed a pending bit while MSI-X Enable is clear',
  },
  {
    id: 'vfio.set-irqs.disable',
    title: 'DATA_NONE with count 0 turns MSI-X off and gives every vector back.',
    source: 'vfio_pci_set_msi_trigger, Linux 6.1',
  },
  {
    id: 'vfio.set-irqs.enable',
    title: 'The first trigger turns MSI-X on and allocates every vector up to the end of the range.',
    source: 'vfio_msi_enable, Linux 6.1',
  },
  {
    id: 'vfio.set-irqs.range-whole',
    title: 'A range that leaves the allocation is refused before any vector of it is touched.',
    source: 'vfio_msi_set_block, Linux 6.1',
  },
  {
    id: 'vfio.set-irqs.below-minus-one',
    title: 'An ERR or REQ eventfd below -1 is refused.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.12.63',
  },
];

export const GLOSSARY: Glossary = {
  clauses: CLAUSES,
  invariants: [
    {
      id: 'no-lost-interrupt',
      promise: 'Every raise the device was entitled to reaches its eventfd, or is pending where it can be seen.',
      source: 'README, property 2',
    },
    {
      id: 'no-spurious-interrupt',
      promise: 'Nothing is signalled that was not raised, or that is masked, disarmed or disabled.',
      source: 'README, property 3',
    },
    {
      id: 'noresize-error-unchanged',
      promise: 'Under NORESIZE a request beyond the allocation fails and changes nothing.',
      source: 'include/uapi/linux/vfio.h, VFIO_IRQ_INFO_NORESIZE',
    },
  ],
  expectedViolations: [
    {
      profile: 'linux-6.1',
      invariant: 'no-lost-interrupt',
      clause: 'pci.msix.drops-while-off',
      source: 'To grow, a user must turn MSI-X off and on again: cover letter of the dynamic MSI-X series, 2023',
    },
    {
      profile: 'linux-6.1+qemu-7.2',
      invariant: 'no-lost-interrupt',
      clause: 'pci.msix.drops-while-off',
      source: 'vfio_msix_vector_do_use, QEMU 7.2: growth by tear-down',
    },
  ],
};

function observation(enable: boolean, changes: readonly VectorChange[] = []): Observation {
  const device: DeviceObservation = { enable, functionMask: false, msixInfoFlags: 9, registers: 0, changes };
  return [device];
}

function step(observed: Observation, clauses: readonly string[] = [], rest: Partial<Step> = {}): Step {
  return { outcome: { kind: 'ok' }, events: [], observation: observed, clauses, ...rest };
}

const INITIAL = observation(false);

const CONFIG: Scenario['config'] = {
  host: { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' },
  devices: [{ msixVectors: 8, whileOff: 'drops' }],
};

const EVENTFD_TRIGGER = 36;
const NONE_TRIGGER = 33;

const ENABLED_TWO = observation(true, [
  { vector: 0, state: ARMED_STATE },
  { vector: 1, state: ARMED_STATE },
]);
const REFUSED = { kind: 'errno', errno: 'EINVAL' } as const;

/** The subject refuses a range as it should, but lets go of a vector that it had: the next interrupt is gone. */
export const DIVERGENCE: Finding = {
  id: '3f9a0c21',
  verdict: 'divergence',
  system: 'mutant:partial-extend-on-error',
  profile: 'linux-6.1',
  subjectProfile: 'linux-6.1',
  seed: 42,
  scenario: {
    config: CONFIG,
    operations: [
      {
        kind: 'vfio.setIrqs',
        device: 0,
        flags: EVENTFD_TRIGGER,
        index: 2,
        start: 0,
        count: 2,
        data: ['e0', 'e1'],
      },
      {
        kind: 'vfio.setIrqs',
        device: 0,
        flags: EVENTFD_TRIGGER,
        index: 2,
        start: 1,
        count: 4,
        data: ['e2', 'e3', 'e4', 'e5'],
      },
      { kind: 'device.raise', device: 0, vector: 1 },
    ],
  },
  judgement: {
    reference: {
      initial: INITIAL,
      steps: [
        step(ENABLED_TWO, ['vfio.set-irqs.enable']),
        step(observation(true), ['vfio.set-irqs.range-whole'], { outcome: REFUSED }),
        step(observation(true), [], {
          events: [
            { kind: 'raised', device: 0, vector: 1, window: null },
            { kind: 'signalled', eventfd: 'e1', count: 1 },
          ],
        }),
      ],
    },
    subject: {
      initial: INITIAL,
      steps: [
        step(ENABLED_TWO),
        step(observation(true, [{ vector: 1, state: ALLOCATED }]), [], { outcome: REFUSED }),
        step(observation(true), [], { events: [{ kind: 'raised', device: 0, vector: 1, window: null }] }),
      ],
    },
    divergences: [
      { step: 1, path: 'device 0 vector 1', expected: 'allocated armed unmasked', got: 'allocated' },
      { step: 2, path: 'events', expected: 'raised 1, e1 +1', got: 'raised 1' },
    ],
    violations: [
      {
        invariant: 'noresize-error-unchanged',
        step: 1,
        causes: [0, 1],
        message: 'The request failed with EINVAL, and vector 1 is no longer armed.',
        expectedBy: null,
      },
    ],
  },
};

function lostSteps(clauses: boolean): readonly Step[] {
  return [
    step(observation(true, [{ vector: 0, state: ARMED_STATE }]), clauses ? ['vfio.set-irqs.enable'] : []),
    step(observation(true)),
    step(
      observation(false, [{ vector: 0, state: 0 }]),
      clauses ? ['vfio.set-irqs.disable', 'pci.msix.drops-while-off'] : [],
      { events: [{ kind: 'raised', device: 0, vector: 0, window: 'teardown-gap' }] },
    ),
    step(observation(false)),
    step(
      observation(true, [
        { vector: 0, state: ARMED_STATE },
        { vector: 1, state: ARMED_STATE },
      ]),
      clauses ? ['vfio.set-irqs.enable'] : [],
    ),
  ];
}

/** Legacy growth on a device that drops: the known history of a host without dynamic MSI-X. */
export const LOST_INTERRUPT: Finding = {
  id: 'b07d51e8',
  verdict: 'expected',
  system: 'reference',
  profile: 'linux-6.1',
  subjectProfile: 'linux-6.1',
  seed: 42,
  scenario: {
    config: CONFIG,
    operations: [
      { kind: 'vfio.setIrqs', device: 0, flags: EVENTFD_TRIGGER, index: 2, start: 0, count: 1, data: ['e0'] },
      { kind: 'device.arm', device: 0, vector: 0, window: 'teardown-gap' },
      { kind: 'vfio.setIrqs', device: 0, flags: NONE_TRIGGER, index: 2, start: 0, count: 0, data: [] },
      { kind: 'host.limitVectors', count: 16 },
      { kind: 'vfio.setIrqs', device: 0, flags: EVENTFD_TRIGGER, index: 2, start: 0, count: 2, data: ['e0', 'e1'] },
    ],
  },
  judgement: {
    reference: { initial: INITIAL, steps: lostSteps(true) },
    subject: { initial: INITIAL, steps: lostSteps(true) },
    divergences: [],
    violations: [
      {
        invariant: 'no-lost-interrupt',
        step: 4,
        causes: [0, 2, 4],
        message:
          'The raise of vector 0 was owed to e0, which was armed before and is armed again; e0 was never signalled.',
        expectedBy: 'pci.msix.drops-while-off',
      },
    ],
  },
};

/** A crash in the middle of the scenario above, with last words that a terminal must not obey. */
export const CRASH: Finding = {
  ...LOST_INTERRUPT,
  id: 'c4a5b6d7',
  verdict: 'unknown',
  system: 'stdio:./broken <server> & "co"',
  subjectProfile: 'linux-6.12',
  judgement: {
    reference: LOST_INTERRUPT.judgement.reference,
    subject: {
      initial: INITIAL,
      steps: [
        ...lostSteps(false).slice(0, 2),
        step(observation(true), [], { outcome: { kind: 'unknown', reason: 'crash' } }),
      ],
      lastWords: '\u001b[2Jpanic: <script>alert("x")</script>\n  at irq.c:7\n',
    },
    divergences: [{ step: 2, path: 'outcome', expected: 'ok', got: 'unknown (crash)' }],
    violations: [],
  },
};

export const RUN: RunResult = {
  seed: 42,
  shard: { index: 1, count: 1 },
  startedAt: '2025-11-21T08:30:00.000Z',
  seconds: 12.4,
  environment: { node: 'v20.20.2', platform: 'linux x64', kernel: '6.12.63', cpus: 4 },
  command: 'npm start -- run --seed 42',
  invariants: ['no-lost-interrupt', 'no-spurious-interrupt', 'noresize-error-unchanged'],
  results: [
    {
      system: 'reference',
      profile: 'linux-6.1',
      verdict: 'pass',
      scenarios: 2000,
      operations: 118_432,
      seconds: 0.9,
      divergences: 0,
      violations: [
        { invariant: 'no-lost-interrupt', clause: 'pci.msix.drops-while-off', count: 34, findings: ['b07d51e8'] },
      ],
      findings: [LOST_INTERRUPT],
      clauses: { 'vfio.set-irqs.enable': 1980, 'vfio.set-irqs.disable': 1204, 'pci.msix.drops-while-off': 310 },
      coverage: COVERAGE,
      witnesses: WITNESSES,
    },
    {
      system: 'reference',
      profile: 'linux-6.12',
      verdict: 'pass',
      scenarios: 2000,
      operations: 120_017,
      seconds: 0.8,
      divergences: 0,
      violations: [],
      findings: [],
      clauses: { 'vfio.set-irqs.enable': 1991, 'vfio.set-irqs.disable': 1187 },
      coverage: COVERAGE,
      witnesses: WITNESSES,
    },
    {
      system: 'reference',
      profile: 'linux-6.1+qemu-7.2',
      verdict: 'pass',
      scenarios: 2000,
      operations: 39_870,
      seconds: 0.6,
      divergences: 0,
      violations: [
        { invariant: 'no-lost-interrupt', clause: 'pci.msix.drops-while-off', count: 61, findings: ['5e1fd0a4'] },
      ],
      findings: [GUEST_LOST],
      clauses: { 'vfio.set-irqs.enable': 1644, 'vfio.set-irqs.disable': 1590, 'pci.msix.drops-while-off': 61 },
      coverage: COVERAGE,
      witnesses: [],
    },
    {
      system: 'reference',
      profile: 'linux-6.12+qemu-7.2/irqfd',
      verdict: 'pass',
      scenarios: 2000,
      operations: 40_115,
      seconds: 0.7,
      divergences: 0,
      violations: [],
      findings: [],
      clauses: { 'vfio.set-irqs.enable': 1651 },
      coverage: COVERAGE,
      witnesses: [],
    },
    {
      system: 'mutant:partial-extend-on-error',
      profile: 'linux-6.1',
      verdict: 'fail',
      scenarios: 212,
      operations: 9876,
      seconds: 0.05,
      divergences: 1,
      violations: [
        { invariant: 'no-lost-interrupt', clause: 'pci.msix.drops-while-off', count: 0, findings: [] },
        { invariant: 'noresize-error-unchanged', clause: null, count: 1, findings: ['3f9a0c21'] },
      ],
      findings: [DIVERGENCE],
      clauses: { 'vfio.set-irqs.enable': 209, 'vfio.set-irqs.range-whole': 88 },
      coverage: COVERAGE,
      witnesses: [],
    },
    {
      system: 'linux-6.12',
      profile: 'linux-6.12',
      verdict: 'skipped',
      reason: 'there is no qemu-system-x86_64 here: npm run systems:install',
      scenarios: 0,
      operations: 0,
      seconds: 0,
      divergences: 0,
      violations: [],
      findings: [],
      clauses: {},
      coverage: NO_COVERAGE,
      witnesses: [],
    },
    {
      system: 'stdio:./slow-server',
      profile: 'linux-6.1',
      verdict: 'errored',
      reason: 'the server answered request 3 with the sequence number of request 2',
      scenarios: 3,
      operations: 41,
      seconds: 0,
      divergences: 0,
      violations: [],
      findings: [],
      clauses: { 'vfio.set-irqs.enable': 3 },
      coverage: COVERAGE,
      witnesses: [],
    },
  ],
};

const MANY_VMMS = ['qemu-7.2', 'qemu-7.2/irqfd', 'qemu-10.0', 'qemu-10.0/irqfd', 'all-at-enable'];

/** Many hosts with many VMMs on each, one of which did not hold. */
export const WIDE_RUN: RunResult = {
  ...RUN,
  results: ['linux-6.1', 'idxd-mdev', 'idxd-mdev-immediate', 'idxd-mdev-fixed'].flatMap((host, place) =>
    [host, ...MANY_VMMS.map((vmm) => `${host}+${vmm}`)].map((profile, index): CampaignResult => {
      const isBroken = profile === 'idxd-mdev-fixed+qemu-10.0';
      const known = { invariant: 'no-lost-interrupt', clause: 'vfio.set-irqs.disable' } as const;
      return {
        ...{ system: 'reference', profile, verdict: isBroken ? 'fail' : 'pass', scenarios: 100 + index },
        ...{ operations: 3000 + index, seconds: 0.1, divergences: isBroken ? 2 : 0, findings: [] },
        violations: [{ ...known, count: 10 * place + index + 1, findings: [] }],
        clauses: { 'vfio.set-irqs.enable': 100 + index },
        coverage: COVERAGE,
        witnesses: [],
      };
    }),
  ),
};

export function replayCommand({ id, system }: Finding): string {
  return `npm start -- replay reports/out/findings/${id}.jsonl --system ${system}`;
}
