import { describe, expect, it } from 'vitest';
import {
  ALLOCATED,
  ARMED,
  type DeviceObservation,
  type Observation,
  type OperationKind,
  type Precision,
  REGISTERS_MASK,
  type Scenario,
  type System,
  type Trace,
  VECTOR_STATE_MASK,
} from '#vocabulary';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { campaign } from './campaign.ts';
import { planOf } from './plan.fixture.ts';

type Change = (trace: Trace, scenario: Scenario) => Trace;

/** The implementation, of which not all is shown. */
function partial(precision: Precision, change: Change): System {
  const whole = optimisedSystem();
  return { ...whole, precision, run: (scenario) => change(whole.run(scenario) as Trace, scenario) };
}

const FULL: Precision = { vectorState: VECTOR_STATE_MASK, messageControl: true, registers: REGISTERS_MASK };

function blurred(precision: Precision): Change {
  const blur = ({ changes, ...device }: DeviceObservation): DeviceObservation => ({
    ...device,
    enable: precision.messageControl && device.enable,
    functionMask: precision.messageControl && device.functionMask,
    registers: device.registers & precision.registers,
    changes: changes.map(({ vector, state }) => ({ vector, state: state & precision.vectorState })),
  });
  const blurAll = (observation: Observation): Observation => observation.map(blur);
  return (trace) => ({
    initial: blurAll(trace.initial),
    steps: trace.steps.map((step) => ({ ...step, observation: blurAll(step.observation) })),
  });
}

describe('a system that does not see all', () => {
  it.each<[string, Precision]>([
    ['what is allocated', { ...FULL, vectorState: VECTOR_STATE_MASK & ~ALLOCATED }],
    ['what is armed', { ...FULL, vectorState: ALLOCATED }],
    ['anything', { vectorState: 0, messageControl: false, registers: 0 }],
  ])('breaks no promise by not seeing %s', async (_, precision) => {
    const plan = planOf(partial(precision, blurred(precision)), 'linux-6.12', { scenarios: 150 });
    expect(await campaign(plan)).toMatchObject({ verdict: 'pass', divergences: 0 });
  });

  it('is still wrong in what it sees', async () => {
    const precision = { ...FULL, vectorState: ARMED };
    const unarmed = blurred({ ...precision, vectorState: 0 });
    const result = await campaign(planOf(partial(precision, unarmed), 'linux-6.12', { scenarios: 50 }));
    expect(result.verdict).toBe('fail');
    expect(result.findings.map(({ verdict }) => verdict)).toContain('divergence');
  });
});

describe('a system that does not do all', () => {
  /** Ends a run before the first operation of a kind. */
  const without =
    (kind: OperationKind): Change =>
    (trace, { operations }) => {
      const place = operations.findIndex((operation) => operation.kind === kind);
      return place === -1 ? trace : { ...trace, steps: trace.steps.slice(0, place), skipped: `no ${kind} here` };
    };

  it('is judged as far as it goes, and it is told how often it did not', async () => {
    const whole = await campaign(planOf(optimisedSystem(), 'linux-6.12', { scenarios: 150 }));
    const result = await campaign(planOf(partial(FULL, without('device.wipe')), 'linux-6.12', { scenarios: 150 }));
    expect(result).toMatchObject({ verdict: 'pass', divergences: 0, scenarios: whole.scenarios });
    expect(result.reason).toMatch(/^\d+ of \d+ scenarios were left at .*, the first: no device\.wipe here$/);
    expect(result.operations).toBeLessThan(whole.operations);
    expect(result.operations).toBeGreaterThan(whole.operations / 4);
    expect(whole.clauses['pci.msix-table.wiped']).toBeGreaterThan(0);
    expect(result.clauses['pci.msix-table.wiped']).toBeUndefined();
  });

  it('is wrong where it was wrong before, and its findings end there', async () => {
    const wrong: Change = (trace) => ({
      ...trace,
      steps: trace.steps.map((step) => ({ ...step, outcome: { kind: 'positive', value: 9 } })),
    });
    const skipping = without('device.raise');
    const both: Change = (trace, scenario) => skipping(wrong(trace, scenario), scenario);
    const result = await campaign(planOf(partial(FULL, both), 'linux-6.12', { scenarios: 50 }));
    expect(result.verdict).toBe('fail');
    for (const { scenario, judgement } of result.findings)
      expect(judgement.subject.steps).toHaveLength(scenario.operations.length);
  });
});
