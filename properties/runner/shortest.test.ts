import { describe, expect, it } from 'vitest';
import { type Operation, parseOperation, printOperation, type Scenario, type Step, type System } from '#vocabulary';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { platformOf } from '../../model/profiles.ts';
import { INVARIANTS } from '../invariants/index.ts';
import { lockstep } from './lockstep.ts';
import { readRecorded, writeFinding } from './record.ts';
import { type Chase, shortestFailure } from './shortest.ts';
import { signatures } from './signature.ts';
import type { Finding } from './verdict.ts';

const PROFILE = 'linux-6.12';
const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const NOISE = ['vfio.getIrqInfo MSIX', 'device.raise 3', 'vfio.configRead busMaster', 'host.limitVectors 7'];
const LONG: Scenario = {
  config: { ...platformOf(PROFILE), devices: [{ msixVectors: 5, whileOff: 'latches', reset: true }] },
  operations: [
    ...Array.from({ length: 12 }, () => NOISE).flat(),
    ...[`${SET} 0+5 [e0 e1 e2 e3 e4]`, 'vfio.reset', 'vfio.close'],
    ...Array.from({ length: 8 }, () => NOISE).flat(),
  ].map(parseOperation),
};

/** The implementation, counted, whose resets fail while a vector has a trigger. */
function failing(support: Partial<System['support']>): { readonly system: System; readonly runs: () => number } {
  const inner = optimisedSystem();
  let runs = 0;
  const isArming = (operation: Operation | undefined): boolean =>
    operation?.kind === 'vfio.setIrqs' && operation.data.length > 0;
  const run = async (scenario: Scenario) => {
    runs += 1;
    const { steps, ...rest } = await inner.run(scenario);
    const armed = scenario.operations.findIndex(isArming);
    const wrong = (step: Step, place: number): Step =>
      scenario.operations[place]?.kind === 'vfio.reset' && armed !== -1 && armed < place && step.outcome.kind === 'ok'
        ? { ...step, outcome: { kind: 'errno', errno: 'EIO' } }
        : step;
    return { ...rest, steps: steps.map(wrong) };
  };
  const system: System = { ...inner, name: 'failing', support: { ...inner.support, ...support }, run };
  return { system, runs: () => runs };
}

function chaseOf(system: System): Chase {
  const platform = platformOf(PROFILE);
  return {
    ...{ system, platform, lengthMax: undefined, seconds: Number.POSITIVE_INFINITY },
    terms: { profile: PROFILE, invariants: INVARIANTS, subjectPlatform: platform },
  };
}

async function shortest(system: System, signature: string): ReturnType<typeof shortestFailure> {
  const chase = chaseOf(system);
  const judgement = structuredClone(await lockstep(system, LONG, chase.terms));
  expect(signatures(LONG, judgement)).toContain(signature);
  return shortestFailure(chase, signature, { scenario: LONG, judgement, drawn: 7 });
}

const kindsOf = ({ operations }: Scenario): string => operations.map(({ kind }) => kind).join();

describe('a failure in this process', () => {
  it('is as short as it gets, and that is proved in words that its file keeps', async () => {
    const { drawn, ...found } = await shortest(failing({}).system, 'violation reset-state');
    expect(drawn).toBe(7);
    expect(kindsOf(found.scenario)).toBe('vfio.setIrqs,vfio.reset');
    expect(found.shortest).toMatch(/^proved: no sequence of fewer operations out of this alphabet of \d+ fails/);
    const finding: Finding = {
      ...{
        id: '0123abcd',
        verdict: 'violation',
        system: 'failing',
        profile: PROFILE,
        subjectProfile: PROFILE,
        seed: 1,
      },
      drawn: 7,
      ...found,
    };
    expect(readRecorded(writeFinding(finding), 'a.jsonl')).toEqual({ kind: 'finding', finding });
    const { shortest: _, ...old } = finding;
    expect(readRecorded(writeFinding(old), 'a.jsonl')).toEqual({ kind: 'finding', finding: old });
  });

  it('that does not show again is kept as it was', async () => {
    const { system } = failing({});
    const judgement = structuredClone(await lockstep(system, LONG, chaseOf(system).terms));
    const found = await shortestFailure(chaseOf(optimisedSystem()), 'violation reset-state', {
      scenario: LONG,
      judgement,
      drawn: 7,
    });
    expect(found).toEqual({ scenario: LONG, judgement, drawn: 7, shortest: 'not proved: it did not fail again' });
  });
});

describe('a failure of a real system', () => {
  it('takes at most 200 runs of it, and is as short', async () => {
    const { system, runs } = failing({ host: 'own' });
    const { scenario } = await shortest(system, 'violation reset-state');
    expect(kindsOf(scenario)).toBe('vfio.setIrqs,vfio.reset');
    expect(runs()).toBeLessThanOrEqual(201);
  });

  it('that the model shows, too, is shrunk there and asked of the system once', async () => {
    const { system, runs } = failing({ host: 'own' });
    const expected = 'expected no-lost-interrupt pci.msix-message.dropped-while-off';
    const dropping: Scenario = {
      config: { ...LONG.config, devices: [{ msixVectors: 5, whileOff: 'drops' }] },
      operations: [
        ...['device.arm 0 teardown-gap', `${SET} 0+1 [e0]`, 'device.arm 0 teardown-gap'],
        ...NOISE.filter((words) => !words.startsWith('vfio.')),
        ...['vfio.setIrqs MSIX NONE|TRIGGER 0+0 []', `${SET} 0+1 [e0]`],
      ].map(parseOperation),
    };
    const chase = chaseOf(system);
    const judgement = structuredClone(await lockstep(system, dropping, chase.terms));
    expect(signatures(dropping, judgement)).toContain(expected);
    const before = runs();
    const found = await shortestFailure(chase, expected, { scenario: dropping, judgement, drawn: 0 });
    expect(runs() - before).toBe(1);
    expect(found.shortest).toMatch(/^proved: .* \(on the model; the system fails of it too\)$/);
    expect(found.scenario.operations.map(printOperation)).toHaveLength(4);
  });
});
