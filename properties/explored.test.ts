import { describe, expect, it } from 'vitest';
import { type Config, type Operation, parseOperation, printOperation, UNMASKED } from '#vocabulary';
import { initial, observe, step } from '../model/machine.ts';
import { restoreMachine, saveMachine } from '../model/machine-saved.ts';
import { putMachine } from '../model/machine-words.ts';
import { type ProfileName, platformOf } from '../model/profiles.ts';
import { specify } from '../model/reference.ts';
import { wordsTold } from '../model/words.fixture.ts';
import { expectationsOf } from './expected.ts';
import { FollowedGuest } from './invariants/followed-guest.ts';
import { nextGuestMoment } from './invariants/guest-moment.ts';
import { INVARIANTS, violations } from './invariants/index.ts';
import { nextMoment, type Run, startRun } from './invariants/moment.ts';
import { type Exploration, explore } from './runner/explore.ts';
import { alphabetFrom, alphabetOf } from './runner/explore-alphabet.ts';
import { exploreScope, scopeConfig } from './runner/explore-scopes.ts';
import { exploredGuest } from './runner/explored-guest.ts';
import { putBackRun, tellRun } from './runner/explored-user.ts';

const REACH = { depth: 100, states: 100_000 };

function explored(profile: ProfileName, vectors: number): Exploration {
  const scope = { profile, config: scopeConfig(profile, vectors), operations: null, invariants: [] };
  return exploreScope(scope, REACH);
}

/** What is broken, in words: by what it is explained, and the shortest sequence. */
function broken({ verdicts }: Exploration): readonly string[] {
  return [...verdicts].flatMap(([id, { known, broken: unexpected }]) => [
    ...[...known].map(([clause, { operations }]) => `${id} by ${clause}: ${wordsOf(operations)}`),
    ...(unexpected === null ? [] : [`${id}: ${wordsOf(unexpected.operations)}`]),
  ]);
}

function wordsOf(operations: readonly Operation[]): string {
  return operations.map(printOperation).join('; ');
}

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const BY_USER = [
  'no-lost-interrupt by pci.msix-message.dropped-while-off: ' +
    `${SET} 0+1 [e0]; vfio.setIrqs MSIX NONE|TRIGGER 0+0 []; device.raise 0; ${SET} 0+1 [e0]`,
];
const STATIC = [`noresize-error-unchanged by vfio.msi-trigger.block-undone: ${SET} 0+1 [e0]; ${SET} 0+2 [e0 e1]`];
const IN_THE_GAP = [
  'no-lost-interrupt by qemu.growth.event-in-the-gap: ' +
    'guest.msixControl enable; device.arm 1 teardown-gap; guest.unmask 1',
];

describe('every reachable state of two vectors', () => {
  it.each<readonly [ProfileName, number, number, readonly string[]]>([
    ['linux-6.1', 172, 2584, BY_USER],
    ['linux-6.12', 200, 3004, BY_USER],
    ['linux-6.12-static', 172, 2584, [...BY_USER, ...STATIC]],
    ['linux-6.1+qemu-7.2', 1221, 21_379, IN_THE_GAP],
    ['linux-6.12+qemu-10.0', 1224, 20_800, []],
    ['linux-6.1+all-at-enable', 313, 4149, []],
  ])('on %s: %i states, %i transitions', (profile, states, transitions, expected) => {
    const found = explored(profile, 2);
    expect(found).toMatchObject({ closed: true, statesCovered: states, transitionsCovered: transitions });
    expect(broken(found)).toEqual(expected);
  });
});

describe('vectors that can stand for each other', () => {
  const CASES: readonly (readonly [ProfileName, number])[] = [
    ['linux-6.1+all-at-enable', 2],
    ['linux-6.1+all-at-enable/irqfd', 2],
  ];

  it.each(CASES)('are counted as if each were tried, on %s with %i', (profile, vectors) => {
    const config = scopeConfig(profile, vectors);
    const [all, one] = [false, true].map((symmetric) =>
      explore(exploredGuest(config, INVARIANTS, [], symmetric), alphabetOf(config), REACH),
    );
    expect(one?.states).toBeLessThan(all?.states ?? 0);
    expect(one).toMatchObject({ statesCovered: all?.states, transitionsCovered: all?.transitions, depth: all?.depth });
    expect(one === undefined ? null : broken(one)).toEqual(all === undefined ? null : broken(all));
  });
});

/** The same numbers each time. */
function* numbers(seed: number): Generator<number, never, undefined> {
  for (let state = seed; ; state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) yield state >>> 8;
}

function drawn(operations: readonly Operation[], seed: number, length: number): readonly Operation[] {
  const random = numbers(seed);
  return Array.from({ length }, () => operations[random.next().value % operations.length]).filter(
    (operation) => operation !== undefined,
  );
}

const INTX: Config = {
  ...platformOf('linux-6.12+qemu-10.0/irqfd'),
  devices: [{ msixVectors: 2, whileOff: 'latches', intx: true, reset: true }],
};
const USER: Config = {
  ...platformOf('linux-6.1'),
  devices: [{ msixVectors: 3, msiVectors: 2, whileOff: 'latches', intx: true, reset: true }],
};
const MORE = ['guest.reset', 'guest.busMaster enable', 'guest.busMaster disable', 'guest.tableWrite 0 +0/4 7'];
const USER_MORE = [
  'vfio.setIrqs INTX EVENTFD|TRIGGER 0+1 [e7]',
  'vfio.setIrqs INTX EVENTFD|UNMASK 0+1 [e8]',
  'vfio.setIrqs INTX NONE|TRIGGER 0+0 []',
  'vfio.setIrqs MSI EVENTFD|TRIGGER 0+2 [e0 e1]',
  'vfio.setIrqs MSI NONE|TRIGGER 0+0 []',
  'vfio.writeEventfd e8',
  'vfio.closeEventfd e0',
  'vfio.closeEventfd e8',
  'device.assertIntx',
  'device.deassertIntx',
];

describe('a machine that is put back', () => {
  it.each([
    ['with a VMM', INTX, [...alphabetOf(INTX).plain, ...MORE.map(parseOperation)]],
    ['without one', USER, [...alphabetOf(USER).plain, ...USER_MORE.map(parseOperation)]],
  ] as const)('goes on as it would have, however far it had gone, %s', (_, config, operations) => {
    for (let seed = 0; seed < 15; seed += 1) {
      const script = drawn(operations, seed, 40);
      const expected = specify({ config, operations: script }).steps;
      const machine = initial(config);
      observe(machine);
      for (const [index, operation] of script.entries()) {
        const saved = saveMachine(machine);
        const before = wordsTold((words) => putMachine(machine, words));
        const steps = script.slice(index).map((next) => step(machine, next));
        expect(steps).toEqual(expected.slice(index));
        restoreMachine(machine, saved);
        expect(wordsTold((words) => putMachine(machine, words))).toEqual(before);
        expect(step(machine, operation)).toEqual(expected[index]);
      }
    }
  });
});

describe('the verdicts of an exploration', () => {
  it.each<ProfileName>(['linux-6.1', 'linux-6.1+qemu-7.2', 'linux-6.12+qemu-10.0'])(
    'miss nothing that a drawn sequence breaks, and can be seen again, on %s',
    (profile) => {
      const config = scopeConfig(profile, 2);
      const { plain, armed } = alphabetOf(config);
      const operations = [...plain, ...armed.flatMap(({ arms }) => arms)];
      const found = explored(profile, 2);
      const said = [...found.verdicts].filter(([, { known, broken: one }]) => known.size > 0 || one !== null);
      const names: readonly string[] = said.map(([id]) => id);
      for (let seed = 0; seed < 60; seed += 1) {
        const script = drawn(operations, seed, 30);
        for (const { invariant } of violations(INVARIANTS, config, script, specify({ config, operations: script })))
          expect(names).toContain(invariant);
      }
      for (const [id, { known }] of said)
        for (const { operations: shortest } of known.values()) {
          const judged = violations(INVARIANTS, config, shortest, specify({ config, operations: shortest }));
          expect(judged.map(({ invariant }) => invariant)).toContain(id);
        }
    },
  );

  it('tell what nothing explains from what is known', () => {
    const config = scopeConfig('linux-6.1+qemu-7.2', 2);
    const found = explore(exploredGuest(config, INVARIANTS, []), alphabetOf(config), { depth: 3, states: 10_000 });
    expect(found.verdicts.get('no-lost-interrupt')?.broken?.operations).toHaveLength(3);
    expect(found.verdicts.get('no-lost-interrupt')?.known.size).toBe(0);
    expect(expectationsOf('linux-6.1+qemu-7.2', 'reference')).not.toEqual([]);
  });

  it('are of no more operations than were asked for', () => {
    const config = scopeConfig('linux-6.1+qemu-7.2', 2);
    const found = explore(exploredGuest(config, INVARIANTS, []), alphabetOf(config), { depth: 2, states: 10_000 });
    expect(found).toMatchObject({ depth: 2, closed: false });
    expect(broken(found)).toEqual([]);
  });
});

describe('what is followed of a guest', () => {
  it('is judged in a copy by what was seen before the first operation, too', () => {
    const [device] = INTX.devices;
    const [seen] = observe(initial(INTX));
    if (device === undefined || seen?.guest === undefined) throw new Error('there is no guest');
    const wrong = { ...seen, guest: { ...seen.guest, changes: [{ vector: 0, state: UNMASKED }] } };
    const followed = new FollowedGuest(device, 0, wrong);
    const copy = new FollowedGuest(device, 0, undefined);
    copy.become(followed);
    const operation = parseOperation('guest.msixControl disable');
    const judge = INVARIANTS.find(({ id }) => id === 'policy-equivalence')?.startGuest?.();
    const breaches = [copy, followed].map((one) =>
      judge?.(nextGuestMoment([one], operation, step(initial(INTX), operation), 0)),
    );
    expect(breaches[0]).toHaveLength(1);
    expect(breaches[0]).toEqual(breaches[1]);
  });
});

describe('what is followed of a run', () => {
  const CHANGES: Readonly<Record<keyof Run, ((run: Run) => void) | null>> = {
    config: null,
    devices: null,
    hostVectorsFree: (run) => {
      run.hostVectorsFree = 3;
    },
    allocationMayFail: (run) => {
      run.allocationMayFail = true;
    },
  };

  it.each(Object.entries(CHANGES).flatMap(([field, change]) => (change === null ? [] : [[field, change] as const])))(
    'is told and put back: %s',
    (_, change) => {
      const [run, saved] = [startRun(USER, observe(initial(USER))), startRun(USER, observe(initial(USER)))];
      const told = wordsTold((words) => tellRun(run, words));
      change(run);
      expect(wordsTold((words) => tellRun(run, words))).not.toEqual(told);
      putBackRun(run, saved);
      expect(wordsTold((words) => tellRun(run, words))).toEqual(told);
    },
  );

  it('goes on from what was before the step that is put back', () => {
    const operation = parseOperation(`${SET} 0+1 [e0]`);
    const armed = step(initial(USER), operation);
    const [run, saved] = [startRun(USER, []), startRun(USER, [])];
    const states = [0, 1].map((): unknown => {
      const shown = nextMoment(run, operation, armed, 0).device?.transitions;
      // What is before a step is taken over with the step.
      nextMoment(run, operation, { ...armed, observation: [] }, 1);
      putBackRun(run, saved);
      const after = nextMoment(run, operation, { ...armed, observation: [] }, 0).device;
      return [shown, after?.transitions, after?.stateAfter(0)];
    });
    expect(states[0]).toEqual([[{ vector: 0, before: 0, after: 7 }], [], 0]);
    expect(states[1]).toEqual(states[0]);
  });
});

describe('an alphabet', () => {
  it('has each operation once, and events in windows only where there are windows', () => {
    const operations = ['guest.unmask 0', 'guest.unmask 0', 'device.arm 0 after-set'].map(parseOperation);
    const guest = alphabetFrom(INTX, operations);
    expect(guest.plain.map(printOperation)).toEqual(['guest.unmask 0', 'device.raise 0']);
    expect(guest.armed.map(({ arms }) => arms.map(printOperation))).toEqual([['device.arm 0 after-set']]);
    const raise = ['device.raise 0'].map(parseOperation);
    expect(alphabetFrom(USER, ['device.arm 0 teardown-gap'].map(parseOperation))).toEqual({ plain: raise, armed: [] });
  });

  it('of a file that arms events and raises none says nothing that one of its own sequences breaks', () => {
    const config: Config = { ...platformOf('linux-6.1'), devices: [{ msixVectors: 1, whileOff: 'drops' }] };
    const [set, off] = [`${SET} 0+1 [e0]`, 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []'];
    const operations = [set, 'device.arm 0 teardown-gap', off, set].map(parseOperation);
    expect(violations(INVARIANTS, config, operations, specify({ config, operations }))).not.toEqual([]);
    const { closed, verdicts } = exploreScope({ profile: 'linux-6.1', config, operations, invariants: [] }, REACH);
    expect(closed).toBe(true);
    expect(verdicts.get('no-lost-interrupt')?.known.size).toBe(1);
  });
});
