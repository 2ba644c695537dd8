import { ARMED, PENDING, UNMASKED, type VfioSetIrqs } from '#vocabulary';
import { at, entryOf, mdevOf } from './followed-parent.ts';
import { KEPT, type MdevWatch } from './invariant.ts';
import { isInRange, setsMsix } from './mdev-calls.ts';
import { type Change, printChange } from './mdev-changes.ts';
import { carried } from './mdev-entries.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/**
 * An operation that failed has changed nothing, but that a range of triggers that failed has taken those of its first
 * vectors, up to the one that failed, and closed their entries.
 */
export function watchMdevErrors(): MdevWatch {
  return (moment) => {
    const { operation, step, before } = moment;
    const { outcome } = step;
    if (moment.still) return KEPT;
    if (outcome.kind !== 'errno' && outcome.kind !== 'status' && outcome.kind !== 'positive') return KEPT;
    // What was armed runs with the operation, whether that fails or not.
    if ('device' in operation && before.arms.some(({ device }) => device === operation.device)) return KEPT;
    const call = setsMsix(operation) ? operation : null;
    const wrong =
      firstWrong(moment, call) ?? eventWrong(moment, call) ?? (call === null ? null : keptBeforeLost(moment, call));
    if (wrong === null) return KEPT;
    return [breach(moment, `${answer(moment)} was returned and yet ${wrong}`)];
  };
}

function answer({ step: { outcome } }: MdevMoment): string {
  if (outcome.kind === 'errno') return outcome.errno;
  return outcome.kind === 'status' ? `status 0x${outcome.status.toString(16)}` : outcome.kind;
}

function firstWrong(moment: MdevMoment, call: VfioSetIrqs | null): string | null {
  const wrong = moment.changes.find((change) => call === null || !isDocumented(moment, call, change));
  return wrong === undefined ? null : printChange(wrong);
}

function isDocumented({ config, before, after }: MdevMoment, call: VfioSetIrqs, change: Change): boolean {
  const { device } = call;
  switch (change.kind) {
    case 'entry': {
      const { old, now } = change;
      const its = old.device === device && isInRange(call, old.vector);
      const kept = (at(mdevOf(after, device).states, old.vector) & ARMED) !== 0;
      const open = carried(now);
      const isDefault = config.mdev.allocation === 'all-default' && open === mdevOf(after, device).defaultPasid;
      return its && !kept && (open === 0 || (isDefault && carried(old) === open));
    }
    case 'pasid': {
      const { old, now } = change;
      return now.references < old.references && (now.state === old.state || now.state === 'free');
    }
    case 'vector': {
      const { vector, old, now } = change;
      if (change.device !== device) return false;
      if (vector === 0 && (old ^ now) === PENDING) return true;
      return isInRange(call, vector) && (now & ~old & ARMED) === 0 && ((now ^ old) & UNMASKED) === 0;
    }
    case 'descriptor': {
      const { old, now } = change;
      if (old === undefined || now !== undefined || old.phase !== 'started') return false;
      const entry = entryOf(before, old.entry);
      return entry.device === device && isInRange(call, entry.vector);
    }
    case 'mdev':
    case 'perm':
      return false;
  }
}

function eventWrong({ step, changes }: MdevMoment, call: VfioSetIrqs | null): string | null {
  const told = step.events.find(({ kind }) => {
    if (call === null || kind === 'raised' || kind === 'error') return true;
    return kind === 'completed' && !changes.some((change) => change.kind === 'descriptor');
  });
  return told === undefined ? null : `it made an event: ${told.kind}`;
}

/** The vectors that lost their trigger are the first of the range: none before them has kept its own. */
function keptBeforeLost({ before, after }: MdevMoment, call: VfioSetIrqs): string | null {
  const { device, start, data } = call;
  const [old, now] = [mdevOf(before, device), mdevOf(after, device)];
  let lost = -1;
  for (const [place] of data.entries())
    if ((at(old.states, start + place) & ~at(now.states, start + place) & ARMED) !== 0) lost = start + place;
  for (let vector = start; vector < lost; vector += 1)
    if ((at(now.states, vector) & ARMED) !== 0)
      return `vector ${vector} of mdev ${device} kept its trigger while ${lost} lost it`;
  return null;
}
