import {
  ARMED,
  type Descriptor,
  type HostPasid,
  IMS_ENTRIES_MAX,
  type ImsEntry,
  type Observation,
  type Operation,
  PASID_MAX,
  type ParentObservation,
  type Step,
  type Trace,
} from '#vocabulary';
import {
  at,
  change,
  changedMdev,
  cleanEntry,
  descriptorOf,
  entryOf,
  type FollowedDescriptor,
  type FollowedMdev,
  type FollowedParent,
  freePasid,
  hasMdev,
  type MdevConfig,
  mdevOf,
  put,
  type Update,
  unseenParent,
  vectorsSeen,
} from './followed-parent.ts';
import { followCall, followGranted, followRevocations } from './granted.ts';
import type { MdevCall } from './mdev-calls.ts';

/** Before the first operation. Every mdev is open once, as a scenario begins. */
export function firstSeen(config: MdevConfig, trace: Pick<Trace, 'initial' | 'initialParent'>): FollowedParent {
  const before = unseenParent(config);
  const update: Update = { config, before, after: { ...before }, index: -1 };
  observe(update, trace.initial, trace.initialParent, undefined);
  for (const device of before.mdevs.keys()) changedMdev(update, device).fds = 1;
  return update.after;
}

/** One operation and its step, on top of what was followed before it. */
interface Followed {
  readonly config: MdevConfig;
  readonly before: FollowedParent;
  readonly operation: Operation;
  readonly step: Step;
  /** Index of the operation. */
  readonly index: number;
  readonly calls: readonly MdevCall[];
}

/** What the steps up to this one say; the very same as before where it says nothing new. */
export function followed({ config, before, operation, step, index, calls }: Followed): FollowedParent {
  // A system that died in this step has shown nothing.
  if (step.outcome.kind === 'unknown') return before;
  const after: FollowedParent = {
    entries: before.entries,
    pasids: before.pasids,
    mdevs: before.mdevs,
    descriptors: before.descriptors,
    arms: before.arms,
    allocationMayFail: before.allocationMayFail,
    entriesAt: before.entriesAt,
    pasidsAt: before.pasidsAt,
  };
  const update: Update = { config, before, after, index };
  observe(update, step.observation, step.parent, operation);
  const { outcome } = step;
  if (outcome.kind === 'ok' || outcome.kind === 'value') followGranted(update, operation, outcome);
  for (const call of calls) followCall(update, call);
  if (calls.length > 0) followRevocations(update, calls, step);
  for (let device = 0; after.mdevs !== before.mdevs && device < before.mdevs.length; device += 1) {
    const mdev = mdevOf(before, device);
    if (after.mdevs[device] !== mdev) forgetLost(update, device, mdev);
  }
  if (after.arms.length > 0 && operation.kind.startsWith('guest.') && 'device' in operation)
    after.arms = after.arms.filter(({ device }) => device !== operation.device);
  return isSame(before, after) ? before : after;
}

function isSame(before: FollowedParent, after: FollowedParent): boolean {
  const seen = before.entries === after.entries && before.pasids === after.pasids && before.mdevs === after.mdevs;
  const rest = before.descriptors === after.descriptors && before.arms === after.arms;
  return seen && rest && before.allocationMayFail === after.allocationMayFail;
}

function observe(
  update: Update,
  observation: Observation,
  seen: ParentObservation | undefined,
  operation: Operation | undefined,
): void {
  for (let device = 0; device < observation.length; device += 1) {
    const observed = observation[device];
    if (observed === undefined || !hasMdev(update.after, device)) continue;
    const { enable, msixInfoFlags, changes } = observed;
    const mdev = mdevOf(update.after, device);
    if (mdev.enable !== enable) changedMdev(update, device).enable = enable;
    if (mdev.infoFlags !== msixInfoFlags) changedMdev(update, device).infoFlags = msixInfoFlags;
    for (const { vector, state } of changes) change(update, device, 'states', vector, state);
  }
  if (seen === undefined) return;
  // What cannot be there is not followed, whatever a system says of it.
  for (const entry of seen.entries) if (entry.entry >= 0 && entry.entry < IMS_ENTRIES_MAX) observeEntry(update, entry);
  for (const pasid of seen.pasids) if (pasid.pasid > 0 && pasid.pasid <= PASID_MAX) observePasid(update, pasid);
  for (const { device, life, defaultPasid } of seen.mdevs) {
    if (!hasMdev(update.after, device)) continue;
    const mdev = changedMdev(update, device);
    mdev.life = life;
    mdev.defaultPasid = defaultPasid;
  }
  for (const { device, vector, value } of seen.perms)
    if (hasMdev(update.after, device)) change(update, device, 'perms', vector, value);
  for (const descriptor of seen.descriptors)
    if (descriptor.phase === 'over' || hasMdev(update.after, descriptor.device))
      observeDescriptor(update, descriptor, operation);
}

function observeEntry(update: Update, seen: ImsEntry): void {
  const { before, after, index } = update;
  const old = entryOf(after, seen.entry);
  if (after.entries === before.entries) {
    after.entries = before.entries.slice();
    after.entriesAt = before.entriesAt.slice();
  }
  while (after.entries.length < seen.entry) after.entries.push(cleanEntry(after.entries.length));
  after.entries[seen.entry] = seen;
  put(after.entriesAt, seen.entry, index + 1);
  const backed = after.mdevs[old.device]?.backing;
  if (backed !== undefined && at(backed, old.vector) === seen.entry + 1)
    change(update, old.device, 'backing', old.vector, 0);
  if (hasMdev(after, seen.device)) change(update, seen.device, 'backing', seen.vector, seen.entry + 1);
}

function observePasid({ before, after, index }: Update, seen: HostPasid): void {
  if (after.pasids === before.pasids) {
    after.pasids = before.pasids.slice();
    after.pasidsAt = before.pasidsAt.slice();
  }
  while (after.pasids.length < seen.pasid) after.pasids.push(freePasid(after.pasids.length));
  after.pasids[seen.pasid] = seen;
  put(after.pasidsAt, seen.pasid, index + 1);
}

const UNASKED: FollowedDescriptor['asked'] = { queue: 'dedicated', pasid: 0, handle: -1 };

function observeDescriptor({ after, index }: Update, seen: Descriptor, operation: Operation | undefined): void {
  const known = descriptorOf(after, seen.descriptor);
  if (seen.phase === 'over') {
    if (known !== undefined) after.descriptors = after.descriptors.filter((other) => other !== known);
    return;
  }
  const same = known?.phase === seen.phase && known.device === seen.device;
  if (same && known.pasid === seen.pasid && known.entry === seen.entry) return;
  const isNew = operation?.kind === 'guest.submit' && operation.descriptor === seen.descriptor;
  const begun = isNew || known === undefined;
  const follows: FollowedDescriptor = {
    descriptor: seen.descriptor,
    phase: seen.phase,
    device: seen.device,
    pasid: seen.pasid,
    entry: seen.entry,
    asked: isNew ? operation : (known?.asked ?? UNASKED),
    submittedAt: begun ? index : known.submittedAt,
    startedAt: seen.phase === 'started' && known?.phase !== 'started' ? index : (known?.startedAt ?? index),
  };
  if (known !== undefined) after.descriptors = after.descriptors.map((other) => (other === known ? follows : other));
  else after.descriptors = [...after.descriptors, follows].sort((left, right) => left.descriptor - right.descriptor);
}

/** A vector that has lost its trigger, or its entry, has lost what came with them. */
function forgetLost(update: Update, device: number, before: FollowedMdev): void {
  const after = mdevOf(update.after, device);
  for (let vector = vectorsSeen(before, after) - 1; vector >= 0; vector -= 1) {
    const wasArmed = (at(before.states, vector) & ARMED) !== 0;
    const armed = (at(after.states, vector) & ARMED) !== 0;
    const kept = at(before.backing, vector) === at(after.backing, vector);
    if ((wasArmed && !armed) || !kept) change(update, device, 'live', vector, 0);
    if (armed) continue;
    change(update, device, 'triggers', vector, 0);
    change(update, device, 'sampled', vector, 0);
    change(update, device, 'sampledPerms', vector, 0);
  }
}
