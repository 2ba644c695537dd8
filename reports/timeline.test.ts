import { describe, expect, it } from 'vitest';
import type { Operation } from '#vocabulary';
import type { Finding } from '../properties/runner/verdict.ts';
import { CRASH, DIVERGENCE, LOST_INTERRUPT } from './fixture.ts';
import { GUEST_LOST } from './guest-fixture.ts';
import { NOT_DRAINED, REFUSED_IN_THE_GAP } from './mdev-fixture.ts';
import { timelineOf, untoldDivergences } from './timeline.ts';

const RAISE = { step: 2, device: 0, vector: 1, window: null };
const LOST = { kind: 'lost', at: 2, clause: null };

describe('timeline', () => {
  it('tells an operation with both answers, what differs and what spoke', () => {
    expect(timelineOf(DIVERGENCE).rows[2]).toEqual({
      index: 2,
      actor: 'device',
      operation: 'device.raise 1',
      expected: {
        outcome: 'ok',
        calls: [],
        gaps: [],
        events: [
          { actor: 'device', words: 'raised 1', raise: { ...RAISE, fate: { kind: 'delivered', at: 2 } } },
          { actor: 'vfio', words: 'e1 +1' },
        ],
        guest: [],
        changes: [],
        parent: [],
      },
      got: {
        outcome: 'ok',
        calls: [],
        gaps: [],
        events: [{ actor: 'device', words: 'raised 1: lost', raise: { ...RAISE, fate: LOST } }],
        guest: [],
        changes: [],
        parent: [],
      },
      divergences: [{ step: 2, path: 'events', expected: 'raised 1, e1 +1', got: 'raised 1' }],
      differs: true,
      clauses: [],
      pointers: [],
      windows: [],
      waiting: [],
    });
  });

  it('says what changed since the observation before', () => {
    const rows = timelineOf(LOST_INTERRUPT).rows;
    expect(rows.map(({ got }) => got?.changes)).toEqual([
      ['MSI-X on', '0 allocated armed unmasked'],
      [],
      ['MSI-X off', '0 idle'],
      [],
      ['MSI-X on', '0-1 allocated armed unmasked'],
    ]);
  });

  it('names the device of a change when it is not the first', () => {
    const { scenario, judgement } = LOST_INTERRUPT;
    const [step] = judgement.subject.steps;
    const [closed] = judgement.subject.initial;
    if (step === undefined || closed === undefined) throw new Error('the fixture has a first step');
    const trace = {
      initial: [closed, closed],
      steps: [{ ...step, observation: [closed, { ...closed, functionMask: true, msixInfoFlags: 1 }] }],
    };
    const finding = { ...LOST_INTERRUPT, scenario, judgement: { ...judgement, reference: trace, subject: trace } };
    expect(timelineOf(finding).rows[0]?.got?.changes).toEqual(['function masked @1', 'MSI-X info flags 1 @1']);
  });

  it('shades the window from the call that opens it to the next call on the device', () => {
    expect(timelineOf(LOST_INTERRUPT).rows.map(({ windows }) => windows)).toEqual([
      [],
      [],
      ['teardown-gap'],
      ['teardown-gap'],
      [],
    ]);
  });

  it('keeps the windows of two devices apart', () => {
    const disable = LOST_INTERRUPT.scenario.operations[2];
    const [, , step] = LOST_INTERRUPT.judgement.subject.steps;
    if (disable === undefined || step === undefined) throw new Error('the fixture turns MSI-X off');
    const operations = [
      disable,
      { kind: 'device.raise', device: 1, vector: 0 },
      { kind: 'vfio.closeEventfd', eventfd: 'e0' },
      { kind: 'device.raise', device: 0, vector: 0 },
      { kind: 'vfio.close', device: 0 },
    ] as const;
    const quiet = { ...step, events: [] };
    const trace = { initial: step.observation, steps: operations.map(() => quiet) };
    const finding = {
      ...LOST_INTERRUPT,
      scenario: { ...LOST_INTERRUPT.scenario, operations },
      judgement: { reference: trace, subject: trace, divergences: [], violations: [] },
    };
    expect(timelineOf(finding).rows.map(({ windows }) => windows)).toEqual([
      ['teardown-gap'],
      [],
      ['teardown-gap'],
      ['teardown-gap'],
      [],
    ]);
  });

  it('tells what a VMM did for its guest, and what the guest sees beside what the host does', () => {
    const rows = timelineOf(GUEST_LOST).rows;
    expect(rows.map(({ actor }) => actor)).toEqual(['guest', 'guest', 'device', 'device', 'guest', 'guest']);
    const raise = {
      ...{ step: 4, device: 0, vector: 0, window: 'teardown-gap' },
      fate: { kind: 'lost', at: 4, clause: 'pci.msix.drops-while-off' },
    };
    expect(rows[4]?.got).toEqual({
      outcome: 'ok',
      gaps: [{ line: 1, raise }],
      calls: ['vfio.setIrqs MSIX NONE|TRIGGER 0+0 []: ok', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [i0 i1]: ok'],
      events: [{ actor: 'device', words: 'raised 0 in teardown-gap: lost', raise }],
      guest: ['guest: 1 unmasked'],
      changes: ['host: 1 allocated armed unmasked'],
      parent: [],
    });
    expect(rows[2]?.got?.events).toContainEqual({ actor: 'guest', words: 'message 0x4000 to 0x100000' });
  });

  it('closes the windows of a VMM with the operation of its guest', () => {
    const windows = timelineOf(GUEST_LOST).rows.map((row) => row.windows);
    expect(windows).toEqual([[], [], [], [], ['teardown-gap'], []]);
  });

  it('has every window in which something was raised', () => {
    const { judgement } = GUEST_LOST;
    const raised = (['before-call', 'after-set', 'before-call'] as const).map(
      (window) => ({ kind: 'raised', device: 0, vector: 0, window }) as const,
    );
    const steps = judgement.subject.steps.map((step) => ({ ...step, events: raised }));
    const subject = { ...judgement.subject, steps };
    const [first] = timelineOf({ ...GUEST_LOST, judgement: { ...judgement, subject } }).rows;
    expect(first?.windows).toEqual(['before-call', 'after-set']);
  });

  it('keeps a difference that its answers do not show', () => {
    const [, , row] = timelineOf(DIVERGENCE).rows;
    if (row === undefined) throw new Error('the fixture has three operations');
    const calls = { step: 2, path: 'calls', expected: 'a', got: 'b' };
    const enable = { step: 2, path: 'device 0 enable', expected: 'true', got: 'false' };
    const divergences = [...row.divergences, calls, enable];
    expect(untoldDivergences({ ...row, divergences })).toEqual([calls, enable]);
    const got = row.got && { ...row.got, calls: ['b'] };
    expect(untoldDivergences({ ...row, divergences, got })).toEqual([enable]);
  });

  it('points from every cause to the violation, and from its place', () => {
    const kinds = timelineOf(LOST_INTERRUPT).rows.map(({ pointers }) => pointers.map(({ kind }) => kind));
    expect(kinds).toEqual([['cause'], [], ['cause'], [], ['place']]);
  });

  it('leaves out the answers of a system that did not live to give them', () => {
    const rows = timelineOf(CRASH).rows;
    expect(rows.map(({ got }) => got?.outcome)).toEqual(['ok', 'ok', 'unknown (crash)', undefined, undefined]);
    expect(rows.map(({ differs }) => differs)).toEqual([false, false, true, false, false]);
  });

  it('keeps divergences of the state before the first operation', () => {
    const start = { step: -1, path: 'device 0 enable', expected: 'false', got: 'true' };
    const judgement = { ...DIVERGENCE.judgement, divergences: [start] };
    expect(timelineOf({ ...DIVERGENCE, judgement }).before).toEqual([start]);
  });

  it('tells what a guest reads of its descriptors, and what changed in the parent', () => {
    const { parent, rows } = timelineOf(NOT_DRAINED);
    expect(parent).toEqual([
      'mdev @0 open, default pasid 1',
      'mdev @1 open, default pasid 2',
      'pasid 1 active, default of VM 0, 1 reference',
      'pasid 2 active, default of VM 1, 1 reference',
    ]);
    expect(rows.map(({ actor }) => actor)).toEqual([
      ...['vfio', 'guest', 'guest', 'guest', 'guest', 'device', 'guest', 'device', 'device'],
    ]);
    expect(rows[6]?.expected).toMatchObject({
      events: [
        { actor: 'guest', words: 'descriptor 0 done' },
        { actor: 'vfio', words: 'e1 +1' },
      ],
      changes: [],
      parent: [
        'entry 0 of @0.1: unmasked pasid 1 irq 0x101',
        'pasid 1 active, default of VM 0, 3 references',
        'pasid 3 free',
        'descriptor 0 over',
      ],
    });
  });

  it('has the window in which a descriptor was waited for, if the VMM opened it', () => {
    const windows = (finding: Finding) => timelineOf(finding).rows.map((row) => row.windows);
    expect(windows(REFUSED_IN_THE_GAP)).toEqual([[], [], [], [], ['teardown-gap']]);
    const { scenario } = REFUSED_IN_THE_GAP;
    const instead = (place: number, operation: Operation): Finding => ({
      ...REFUSED_IN_THE_GAP,
      scenario: { ...scenario, operations: scenario.operations.with(place, operation) },
    });
    const arm = { kind: 'device.armDescriptor', device: 0, descriptor: 7 } as const;
    expect(windows(instead(3, { ...arm, window: 'after-set' })).at(-1)).toEqual(['after-set']);
    expect(windows(instead(3, { ...arm, window: 'before-call' })).at(-1)).toEqual(['before-call']);
    // Armed before an operation that makes no call, it has had its turn.
    expect(windows(instead(1, { ...arm, window: 'after-set' }))).toEqual([[], [], [], [], ['teardown-gap']]);
    expect(windows(instead(3, { kind: 'device.start', descriptor: 7 })).at(-1)).toEqual([]);
  });

  it('goes on with the window of vfio while the guest of an mdev does something', () => {
    const [enabled] = NOT_DRAINED.judgement.subject.steps;
    if (enabled === undefined) throw new Error('the fixture has a first step');
    const operations = [
      { kind: 'vfio.setIrqs', device: 0, flags: 33, index: 2, start: 0, count: 0, data: [] },
      { kind: 'guest.unmask', device: 0, vector: 1 },
      { kind: 'guest.bindPasid', device: 1, pasid: 5 },
      { kind: 'device.start', descriptor: 3 },
      { kind: 'vfio.reset', device: 0 },
    ] as const;
    const trace = { ...NOT_DRAINED.judgement.subject, steps: operations.map(() => enabled) };
    const finding = {
      ...NOT_DRAINED,
      scenario: { ...NOT_DRAINED.scenario, operations },
      judgement: { reference: trace, subject: trace, divergences: [], violations: [] },
    };
    expect(timelineOf(finding).rows.map((row) => row.windows)).toEqual([
      ...[['teardown-gap'], ['teardown-gap'], [], ['teardown-gap'], []],
    ]);
  });
});
