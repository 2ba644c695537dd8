import type { Operation, Step, Trace } from '#vocabulary';
import {
  copyOfMdevMachine,
  initialMdevMachine,
  keyOfMdevMachine,
  type MdevMachine,
  observeMdevs,
  stepMdev,
} from '../../model/mdev-machine.ts';
import { firstSeen } from '../invariants/follow-parent.ts';
import { type FollowedParent, keyOf, type MdevConfig } from '../invariants/followed-parent.ts';
import type { Invariant } from '../invariants/invariant.ts';
import { mdevMoment } from '../invariants/mdev-moment.ts';
import type { Broken, Stepped, Subject } from './explore.ts';

/** A machine with mediated devices, whatever it is made of. */
export interface ParentMachine<State> {
  /** A fresh state, and what is seen of it before the first operation. */
  initial(): { readonly state: State; readonly seen: Pick<Trace, 'initial' | 'initialParent'> };
  clone(state: State): State;
  step(state: State, operation: Operation): Step;
  key(state: State): string;
}

/** Such a machine with what is followed of it: the promises remember nothing else. */
interface ParentState<State> {
  readonly state: State;
  followed: FollowedParent;
}

/** The model of a machine with mediated devices and no VMM. */
export function modelOfMdevs(config: MdevConfig): ParentMachine<MdevMachine> {
  return {
    initial: () => {
      const state = initialMdevMachine(config);
      const { observation, parent } = observeMdevs(state);
      return { state, seen: { initial: observation, initialParent: parent } };
    },
    clone: copyOfMdevMachine,
    step: stepMdev,
    key: keyOfMdevMachine,
  };
}

const NO_WINDOWS: ReadonlySet<never> = new Set();

/** A machine with mediated devices as something of which every sequence can be tried. */
export function exploredMdevs<State>(
  config: MdevConfig,
  machine: ParentMachine<State>,
  invariants: readonly Invariant[],
): Subject<ParentState<State>> {
  const watches = invariants.flatMap(({ id, startMdev }) =>
    startMdev === undefined ? [] : [{ id, watch: startMdev() }],
  );
  return {
    promises: watches.map(({ id }) => id),
    initial: () => {
      const { state, seen } = machine.initial();
      return { state, followed: firstSeen(config, seen) };
    },
    clone: ({ state, followed }) => ({ state: machine.clone(state), followed }),
    step: (at, operation, index): Stepped => {
      const before = at.followed;
      const moment = mdevMoment(config, before, operation, machine.step(at.state, operation), index);
      at.followed = moment.after;
      const broken: Broken[] = [];
      for (const { id, watch } of watches)
        for (const breach of watch(moment)) broken.push({ id, breach, expectedBy: null });
      return { broken, still: moment.changes.length === 0 && moment.after === before };
    },
    key: ({ state, followed }) => `${machine.key(state)}#${keyOf(followed)}`,
    tries: ({ followed }, operation) => operation.kind !== 'vfio.open' || followed.mdevs[operation.device]?.fds === 0,
    orbit: () => 1,
    opened: () => NO_WINDOWS,
  };
}
