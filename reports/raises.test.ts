import { describe, expect, it } from 'vitest';
import { ALLOCATED, ARMED, PENDING, type Step, type Trace, UNMASKED } from '#vocabulary';
import { DIVERGENCE, LOST_INTERRUPT } from './fixture.ts';
import { GUEST_LOST } from './guest-fixture.ts';
import { fateWords, raisesOf } from './raises.ts';

const NOBODY = { violations: [], reference: [] };
const ON = ALLOCATED | ARMED | UNMASKED;

/** A trace with one raise of vector 0, with the states of the vector after each step and what was signalled. */
function traced(...steps: readonly { readonly state: number; readonly events?: Step['events'] }[]): Trace {
  const [initial] = LOST_INTERRUPT.judgement.subject.initial;
  if (initial === undefined) throw new Error('the fixture has a device');
  return {
    initial: [initial],
    steps: steps.map(({ state, events = [] }) => ({
      ...{ outcome: { kind: 'ok' }, events, clauses: [] },
      observation: [{ ...initial, changes: [{ vector: 0, state }] }],
    })),
  };
}

const RAISED: Step['events'] = [{ kind: 'raised', device: 0, vector: 0, window: null }];
const SIGNALLED: Step['events'] = [{ kind: 'signalled', eventfd: 'e0', count: 1 }];

describe('a raise', () => {
  it('is followed to its eventfd', () => {
    const { scenario, judgement } = DIVERGENCE;
    const [raise] = raisesOf(scenario, judgement.reference, NOBODY);
    expect(raise).toEqual({ step: 2, device: 0, vector: 1, window: null, fate: { kind: 'delivered', at: 2 } });
  });

  it('that the reference had delivered and the subject had not is lost', () => {
    const { scenario, judgement } = DIVERGENCE;
    const reference = raisesOf(scenario, judgement.reference, NOBODY);
    const [raise] = raisesOf(scenario, judgement.subject, { violations: [], reference });
    expect(raise?.fate).toEqual({ kind: 'lost', at: 2, clause: null });
    expect(raisesOf(scenario, judgement.subject, NOBODY)[0]?.fate).toEqual({ kind: 'unheard', at: 2 });
  });

  it('that breaks the promise is lost, by the clause that explains it', () => {
    for (const { scenario, judgement } of [LOST_INTERRUPT, GUEST_LOST]) {
      const { subject, violations } = judgement;
      const raises = raisesOf(scenario, subject, { violations, reference: [] });
      expect(raises.at(-1)?.fate).toMatchObject({ kind: 'lost', clause: 'pci.msix.drops-while-off' });
      const others = violations.map((violation) => ({ ...violation, invariant: 'no-leak' as const }));
      const unheard = raisesOf(scenario, subject, { violations: others, reference: [] });
      expect(unheard.at(-1)?.fate.kind).toBe('unheard');
    }
  });

  it('reaches a guest as a message', () => {
    const { scenario, judgement } = GUEST_LOST;
    expect(raisesOf(scenario, judgement.subject, NOBODY)[0]).toMatchObject({
      step: 2,
      fate: { kind: 'delivered', at: 2 },
    });
  });

  it.each([
    ['waits to the end', [{ state: ON | PENDING, events: RAISED }, { state: ON | PENDING }], 'pending', ': pending'],
    [
      'is delivered later',
      [{ state: PENDING, events: RAISED }, { state: PENDING }, { state: ON, events: SIGNALLED }],
      'delivered',
      ': pending, delivered by operation 2',
    ],
    [
      'is given up',
      [{ state: PENDING, events: RAISED }, { state: 0 }],
      'unheard',
      ': pending, given up by operation 1',
    ],
  ])('that is pending %s', (_, steps, kind, words) => {
    const [arm] = LOST_INTERRUPT.scenario.operations;
    if (arm === undefined) throw new Error('the fixture has operations');
    const scenario = { ...LOST_INTERRUPT.scenario, operations: steps.map(() => arm) };
    const [raise] = raisesOf(scenario, traced(...steps), NOBODY);
    expect(raise?.fate.kind).toBe(kind);
    expect(raise === undefined ? '' : fateWords(raise)).toBe(words);
  });
});
