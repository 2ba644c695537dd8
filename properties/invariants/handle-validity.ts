import type { Step } from '#vocabulary';
import {
  at,
  backingEntry,
  descriptorOf,
  entryOf,
  type FollowedDescriptor,
  isLive,
  mdevOf,
  vectorsSeen,
} from './followed-parent.ts';
import { type Breach, type Invariant, KEPT, type MdevWatch } from './invariant.ts';
import { givesEventfd, setsMsix } from './mdev-calls.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** A handle is good for the entry that it was given for, while that is its vector's. */
export const handleValidity: Invariant = {
  id: 'handle-validity',
  promise:
    'Request Interrupt Handle answers with the index of the vector’s entry, or that there is none; a handle that was ' +
    'given back, revoked, or lost with the trigger of its vector lets no descriptor through to that vector until ' +
    'it is requested again, and a guest is told when a vector comes back with another handle than it has.',
  source: 'DSA 3.0, 3.7, 5.4 and 5.8',
  startMdev: (): MdevWatch => (moment) => {
    if (moment.still && moment.operation.kind !== 'guest.requestHandle') return KEPT;
    const breaches = answers(moment);
    marks(moment, breaches);
    begun(moment, breaches);
    revocations(moment, breaches);
    return breaches;
  },
};

function answers(moment: MdevMoment): Breach[] {
  const { operation, step, after } = moment;
  if (operation.kind !== 'guest.requestHandle') return [];
  const { device, vector, ims } = operation;
  const entry = vector > 0 ? backingEntry(after, device, vector) : undefined;
  const name = `vector ${vector} of mdev ${device}`;
  const { outcome } = step;
  if (outcome.kind === 'value') {
    if (ims === true) return [breach(moment, `a handle of the IMS table was given for ${name}: ${outcome.value}`)];
    if (entry?.entry === outcome.value) return [];
    const has = entry === undefined ? 'no entry' : `entry ${entry.entry}`;
    return [
      breach(moment, `${name} has ${has}, and its handle is ${outcome.value}`, at(mdevOf(after, device).at, vector)),
    ];
  }
  const isRefused = outcome.kind === 'status' && entry !== undefined && ims !== true;
  return isRefused ? [breach(moment, `${name} has entry ${entry.entry} and no handle was given`)] : [];
}

/** What the table shows as usable is what was requested and not lost, where handles have to be requested. */
function marks(moment: MdevMoment, breaches: Breach[]): void {
  const { config, before, after, index } = moment;
  if (before.entries === after.entries && before.mdevs === after.mdevs && index > 0) return;
  for (let place = 0; place < after.entries.length; place += 1) {
    const entry = entryOf(after, place);
    const { device, vector, handle } = entry;
    if (device === -1) continue;
    const mdev = after.mdevs[device];
    const live = isLive(after, entry);
    const wasLive = isLive(before, entry);
    if (before.entries[place] === entry && wasLive === live && index > 0) continue;
    if (handle === (live && config.parent.handles === 'requested')) continue;
    const what = handle ? 'can be named, and no handle of it is good' : 'cannot be named, and its handle is good';
    breaches.push(
      breach(moment, `entry ${place} of vector ${vector} of mdev ${device} ${what}`, at(mdev?.at ?? [], vector)),
    );
  }
}

function begun(moment: MdevMoment, breaches: Breach[]): void {
  const { before, after } = moment;
  for (const descriptor of after.descriptors) {
    const old = descriptorOf(before, descriptor.descriptor);
    if (descriptor.phase !== 'started' || old?.phase === 'started') continue;
    const wrong = handleWrong(moment, descriptor);
    if (wrong !== null) breaches.push(breach(moment, wrong, descriptor.submittedAt + 1));
  }
}

function handleWrong(
  { config, before }: MdevMoment,
  { descriptor, device, entry, asked }: FollowedDescriptor,
): string | null {
  const what = `descriptor ${descriptor} of mdev ${device}`;
  if (asked.rci === false)
    return entry === -1 ? null : `${what} asks for no interrupt and was checked against ${entry}`;
  if (entry !== asked.handle) return `${what} names handle ${asked.handle} and was checked against entry ${entry}`;
  if (config.parent.handles === 'index') return null;
  return isLive(before, entryOf(before, entry))
    ? null
    : `${what} was let through by handle ${entry}, which is not good`;
}

/** How often an mdev reads that handles were revoked. */
function revokedIn({ events }: Step, device: number): number {
  let revoked = 0;
  for (const event of events) if (event.kind === 'revoked' && event.device === device) revoked += 1;
  return revoked;
}

/** A vector that gets another entry while its guest knows a handle revokes that, and nothing else does. */
function revocations(moment: MdevMoment, breaches: Breach[]): void {
  const { config, before, after, step, calls } = moment;
  // Entries move by calls.
  if (calls.length === 0 && step.events.length === 0) return;
  for (let device = 0; device < after.mdevs.length; device += 1) {
    const [old, mdev] = [mdevOf(before, device), mdevOf(after, device)];
    const revoked = revokedIn(step, device);
    if (revoked === 0 && old.told.length === 0) continue;
    const sets = calls.flatMap(({ operation }) =>
      operation.device === device && setsMsix(operation) ? [operation] : [],
    );
    if (revoked === 0 && sets.length === 0) continue;
    const known = old.told.filter((told, vector) => told !== 0 && sets.some((call) => givesEventfd(call, vector)));
    if (revoked > known.length)
      breaches.push(
        breach(moment, `mdev ${device} reads ${revoked} times that handles were revoked, and has ${known.length}`),
      );
    // Of a call that failed it is not known which entries its vectors have had for a moment.
    if (config.vmm !== undefined || step.outcome.kind !== 'ok') continue;
    let moved = 0;
    let last = 0;
    for (let vector = vectorsSeen(old, mdev) - 1; vector > 0; vector -= 1) {
      const entry = at(mdev.backing, vector);
      if (!sets.some((call) => givesEventfd(call, vector)) || at(old.told, vector) <= 0 || entry === 0) continue;
      if (entry === at(old.told, vector)) continue;
      moved += 1;
      last = vector;
    }
    if (moved <= revoked) continue;
    const [has, had] = [at(mdev.backing, last) - 1, at(old.told, last) - 1];
    const name = `vector ${last} of mdev ${device}`;
    breaches.push(breach(moment, `${name} has entry ${has}, and its guest was not told that handle ${had} is revoked`));
  }
}
