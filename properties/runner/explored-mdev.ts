import type { Operation, Step, Trace } from '#vocabulary';
import { initialMdevMachine, observeMdevs, stepMdev } from '../../model/mdev-machine.ts';
import { putMdevs, restoreMdevs, type SavedMdevs, saveMdevs } from '../../model/mdev-saved.ts';
import type { Words } from '../../model/words.ts';
import { firstSeen } from '../invariants/follow-parent.ts';
import { type FollowedParent, type MdevConfig, tellParent } from '../invariants/followed-parent.ts';
import type { Invariant } from '../invariants/invariant.ts';
import { mdevMoment } from '../invariants/mdev-moment.ts';
import type { Broken, Stepped, Subject } from './explore.ts';
import { Fingerprint } from './fingerprint.ts';

/** A machine with mediated devices, whatever it is made of: one state, which is moved on and put back. */
export interface ParentMachine<Saved> {
  /** What is seen of it before the first operation. */
  readonly seen: Pick<Trace, 'initial' | 'initialParent'>;
  save(): Saved;
  restore(saved: Saved): void;
  step(operation: Operation): Step;
  /** Tells its state: the same for two from which everything goes on alike. */
  tell(words: Words): void;
}

/** What such a machine is, with what is followed of it, which is replaced and not changed. */
interface SavedParent<Saved> {
  readonly machine: Saved;
  readonly followed: FollowedParent;
}

/** The model of a machine with mediated devices and no VMM. */
export function modelOfMdevs(config: MdevConfig): ParentMachine<SavedMdevs> {
  const machine = initialMdevMachine(config);
  const { observation, parent } = observeMdevs(machine);
  return {
    seen: { initial: observation, initialParent: parent },
    save: () => saveMdevs(machine),
    restore: (saved) => restoreMdevs(machine, saved),
    step: (operation) => stepMdev(machine, operation),
    tell: (words) => putMdevs(machine, words),
  };
}

const NO_WINDOWS: ReadonlySet<never> = new Set();

/** A machine with mediated devices as something of which every sequence can be tried. The promises remember nothing. */
export function exploredMdevs<Saved>(
  config: MdevConfig,
  machine: ParentMachine<Saved>,
  invariants: readonly Invariant[],
): Subject<SavedParent<Saved>> {
  const watches = invariants.flatMap(({ id, startMdev }) =>
    startMdev === undefined ? [] : [{ id, watch: startMdev() }],
  );
  let followed = firstSeen(config, machine.seen);
  /** What was told last of what is followed: most operations leave that as it is. */
  const told = new Fingerprint();
  let toldOf: FollowedParent | null = null;
  return {
    promises: watches.map(({ id }) => id),
    save: () => ({ machine: machine.save(), followed }),
    restore: (saved) => {
      machine.restore(saved.machine);
      followed = saved.followed;
    },
    step: (operation, index): Stepped => {
      const before = followed;
      const moment = mdevMoment(config, before, operation, machine.step(operation), index);
      followed = moment.after;
      const broken: Broken[] = [];
      for (const { id, watch } of watches)
        for (const breach of watch(moment)) broken.push({ id, breach, expectedBy: null });
      return { broken, still: moment.changes.length === 0 && moment.after === before };
    },
    tell: (fingerprint) => {
      machine.tell(fingerprint);
      if (toldOf !== followed) tellParent(followed, told.begin());
      toldOf = followed;
      told.tellTo(fingerprint);
      return 1;
    },
    tries: (operation) => operation.kind !== 'vfio.open' || followed.mdevs[operation.device]?.fds === 0,
    opens: () => NO_WINDOWS,
  };
}
