import {
  ARMED,
  type EventfdName,
  IMS_MASK,
  isEventfdName,
  PENDING,
  type Step,
  UNMASKED,
  type VfioSetIrqs,
} from '#vocabulary';
import { isChosen, loopsBack } from './calls.ts';
import { at, backingEntry, type FollowedMdev, isPending, mdevOf, UNSEEN } from './followed-parent.ts';
import { isInRange, setsMsix } from './mdev-calls.ts';
import type { Change } from './mdev-changes.ts';
import { toldBy } from './mdev-interrupts.ts';
import type { Followed } from './mdev-moment.ts';

/** What one step owes and allows whoever gets the signals of one vector. */
export interface Claim {
  /** `vector 1 of mdev 0`, or what else signals. */
  readonly what: string;
  readonly least: number;
  /** -1 where the vector became pending for no reason. */
  readonly most: number;
  /** Numbers of eventfds and 1, or UNSEEN: each may have got the signals. Empty where nobody could. */
  readonly eventfds: readonly number[];
}

/** The account of one step. */
export interface Account {
  readonly claims: readonly Claim[];
  /** Signals counted, by number of the eventfd and 1. */
  readonly counted: ReadonlyMap<number, number>;
  /**
   * The two beside each other: for each eventfd, and for all of them where a signal may have gone to either of two.
   */
  readonly tallies: readonly Tally[];
}

/** Nothing owed and nothing counted. */
export const NO_ACCOUNT: Account = { claims: [], counted: new Map(), tallies: [] };

/** More vectors than a device has: a vector of a device is one number. */
const STRIDE = 4096;

/**
 * What the interrupts of a step, those that were pending, loopbacks and the user's writes owe and allow each eventfd.
 * Where a VMM has the eventfds, whose signals are not seen, what is pending alone is accounted for.
 * Source: DSA 3.0, 5.4: at completion an entry that ignores makes nothing, a masked one becomes pending, once however
 * often it is met, and another one sends its message; PCIe 6.0, 6.1.4.5 for what is pending.
 */
export function accountOf(moment: Followed): Account {
  const { config, operation, step, before, changes } = moment;
  const alone = operation.kind === 'vfio.writeEventfd' || loopsBack(operation);
  if (!alone && step.events.length === 0 && changes.length === 0) return NO_ACCOUNT;
  const claims: Claim[] = [];
  if (operation.kind === 'vfio.writeEventfd') claims.push(userWrite(operation.eventfd));
  if (loopsBack(operation) && step.outcome.kind === 'ok')
    claims.push(...loopbacks(mdevOf(before, operation.device), operation));
  const claimed = config.vmm === undefined ? claimOf : claimOfShown;
  if (step.events.length > 0 || changes.some(isOfPending))
    for (const [key, count] of interruptsMade(moment))
      claims.push(claimed(moment, Math.floor(key / STRIDE), key % STRIDE, count));
  const counted = step.events.length === 0 ? NO_ACCOUNT.counted : signalled(step);
  return claims.length === 0 && counted.size === 0
    ? NO_ACCOUNT
    : { claims, counted, tallies: tallied(claims, counted) };
}

function signalled({ events }: Step): ReadonlyMap<number, number> {
  const counted = new Map<number, number>();
  for (const event of events) if (event.kind === 'signalled') counted.set(keyOf(event.eventfd), event.count);
  return counted;
}

/** Whether a pending bit changed. */
function isOfPending(change: Change): boolean {
  return change.kind === 'vector' && ((change.old ^ change.now) & PENDING) !== 0;
}

function keyOf(eventfd: EventfdName): number {
  return Number(eventfd.slice(1)) + 1;
}

/** The user writes an eventfd that nobody else reads, and reads it back. */
function userWrite(eventfd: EventfdName): Claim {
  return { what: 'the write', least: 1, most: 1, eventfds: [keyOf(eventfd)] };
}

/** A loopback signals the triggers that it names, masked or not. */
function loopbacks(mdev: FollowedMdev, call: VfioSetIrqs): Claim[] {
  const claims: Claim[] = [];
  for (const [vector, trigger] of mdev.triggers.entries())
    if (trigger !== 0 && isInRange(call, vector) && isChosen(call, vector - call.start))
      claims.push({ what: `the loopback of vector ${vector}`, least: 1, most: 1, eventfds: [trigger] });
  return claims;
}

/** How many interrupts each vector had to tell in this step, and 0 for those whose pending bit changed. */
function interruptsMade(moment: Followed): Map<number, number> {
  const made = new Map<number, number>();
  for (const event of moment.step.events) {
    const told = toldBy(moment, event);
    if (told === null) continue;
    const key = told.device * STRIDE + told.vector;
    made.set(key, (made.get(key) ?? 0) + 1);
  }
  for (const change of moment.changes) {
    if (change.kind !== 'vector' || !isOfPending(change)) continue;
    const key = change.device * STRIDE + change.vector;
    if (!made.has(key)) made.set(key, 0);
  }
  return made;
}

/** The call about a vector, if the operation is one. */
function callAbout({ operation }: Followed, device: number, vector: number): VfioSetIrqs | null {
  return setsMsix(operation) && operation.device === device && isInRange(operation, vector) ? operation : null;
}

function claimOf(moment: Followed, device: number, vector: number, made: number): Claim {
  const { before, after, step } = moment;
  const [old, now] = [mdevOf(before, device), mdevOf(after, device)];
  const what = `vector ${vector} of mdev ${device}`;
  const was = at(old.triggers, vector);
  const call = callAbout(moment, device, vector);
  const given = call?.data[vector - call.start];
  const is = isEventfdName(given) ? keyOf(given) : 0;
  const open = was !== 0 && isUnmasked(moment, device, vector);
  const total = made + Number(isPending(old, vector));
  const left = Number(isPending(now, vector));
  if (isDropped(moment, device)) return { what, ...exactly(open ? made : 0), eventfds: [was] };
  // In which order the parts of a call come is not said of vector 0, nor how far one came that failed.
  const vague = call !== null && (vector === 0 || step.outcome.kind !== 'ok');
  const eventfds = call === null ? [was] : open || vague ? [was, is] : [is];
  const seen = eventfds.filter((eventfd) => eventfd !== 0);
  const least = Math.min(1, total) - left;
  if (vague) return { what, least, most: total - left, eventfds: seen };
  if (!open) return { what, ...exactly(least), eventfds: seen };
  // What an armed and unmasked vector has to tell is told, unless it is kept because the vector is no longer that.
  return { what, ...exactly(made - (isDeliverable(moment, device, vector) ? 0 : left)), eventfds: seen };
}

/** Where a VMM has the eventfd: a vector becomes pending for a reason, and stays so while it has no trigger. */
function claimOfShown(moment: Followed, device: number, vector: number, made: number): Claim {
  const [old, now] = [mdevOf(moment.before, device), mdevOf(moment.after, device)];
  const what = `vector ${vector} of mdev ${device}`;
  const total = made + Number(isPending(old, vector));
  if (total === 0) return { what, least: 0, most: -Number(isPending(now, vector)), eventfds: [] };
  const hadTrigger = ((at(old.states, vector) | at(now.states, vector)) & ARMED) !== 0;
  const excused = hadTrigger || isPending(now, vector) || moment.calls.length > 0;
  return { what, least: Number(!excused), most: total, eventfds: [] };
}

function exactly(count: number): { least: number; most: number } {
  return { least: count, most: count };
}

/** Before the operation. */
function isUnmasked({ before }: Followed, device: number, vector: number): boolean {
  if (vector === 0) return (at(mdevOf(before, device).states, 0) & UNMASKED) !== 0;
  const entry = backingEntry(before, device, vector);
  return entry !== undefined && (entry.control & IMS_MASK) === 0;
}

/** Whether a vector has somebody to tell, after the operation. Where a VMM has the table the host masks nothing. */
export function isDeliverable({ config, after }: Followed, device: number, vector: number): boolean {
  const wanted = config.vmm === undefined ? ARMED | UNMASKED : ARMED;
  return (at(mdevOf(after, device).states, vector) & wanted) === wanted;
}

/** A reset drops what is pending, and so does the end of the last hold on the mdev. */
function isDropped({ operation, step, before, after }: Followed, device: number): boolean {
  if (mdevOf(before, device).life === 'open' && mdevOf(after, device).life !== 'open') return true;
  return operation.kind === 'vfio.reset' && operation.device === device && step.outcome.kind === 'ok';
}

/** What the claims on one eventfd add up to, beside what was counted. */
export interface Tally {
  /** The number of the eventfd and 1; 0 for all of them together. */
  readonly eventfd: number;
  readonly least: number;
  readonly most: number;
  readonly counted: number;
  readonly whats: readonly string[];
}

function tallied(claims: readonly Claim[], counted: ReadonlyMap<number, number>): readonly Tally[] {
  const of = new Map<number, { least: number; most: number; whats: string[] }>();
  const together = { least: 0, most: 0, loose: false, whats: [] as string[] };
  for (const eventfd of counted.keys()) of.set(eventfd, { least: 0, most: 0, whats: [] });
  for (const { what, least, most, eventfds } of claims) {
    const unseen = eventfds.includes(UNSEEN);
    together.loose ||= eventfds.length > 1;
    together.least += unseen ? 0 : Math.max(0, least);
    together.most += Math.max(0, most);
    together.whats.push(what);
    for (const eventfd of eventfds) {
      if (eventfd === UNSEEN) continue;
      const sum = of.get(eventfd) ?? { least: 0, most: 0, whats: [] };
      of.set(eventfd, sum);
      sum.most += Math.max(0, most);
      if (eventfds.length === 1) sum.least += Math.max(0, least);
      sum.whats.push(what);
    }
  }
  const found: Tally[] = [...of].map(([eventfd, sum]) => ({ eventfd, ...sum, counted: counted.get(eventfd) ?? 0 }));
  const all = [...counted.values()].reduce((sum, count) => sum + count, 0);
  if (together.loose) found.push({ eventfd: 0, ...together, counted: all });
  return found;
}

/** `e0`, and for whom. */
export function printTally({ eventfd, whats }: Tally): string {
  const name = eventfd === 0 ? 'all eventfds' : `e${eventfd - 1}`;
  return whats.length === 0 ? name : `${name} (${whats.join(', ')})`;
}
