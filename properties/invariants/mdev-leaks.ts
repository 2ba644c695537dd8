import { ARMED, isEventfdName, type Operation, printImsEntry, type VfioSetIrqs } from '#vocabulary';
import { at, type FollowedMdev, mdevOf } from './followed-parent.ts';
import { KEPT, type MdevWatch } from './invariant.ts';
import { disablesMsix, isInRange, setsMsix } from './mdev-calls.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';
import { referenceBreaches } from './mdev-references.ts';
import { shortageWrong } from './mdev-shortage.ts';

/** What an mdev was given it gives back when it is disabled, closed, detached or removed, and when its VMM dies. */
export function watchMdevLeaks(): MdevWatch {
  return (moment) => {
    const short = shortageWrong(moment);
    if (moment.still && moment.calls.length === 0) return short === null ? KEPT : [breach(moment, short)];
    const breaches = referenceBreaches(moment);
    if (short !== null) breaches.push(breach(moment, short));
    for (let device = 0; device < moment.after.mdevs.length; device += 1) {
      const wrong = leftBehind(moment, device, mdevOf(moment.after, device));
      if (wrong !== null) breaches.push(breach(moment, wrong));
    }
    return breaches;
  };
}

function leftBehind(moment: MdevMoment, device: number, mdev: FollowedMdev): string | null {
  if ((mdev.life === 'open') !== mdev.fds > 0)
    return `mdev ${device} is held ${mdev.fds} times and is ${mdev.life === 'open' ? 'open' : 'not open'}`;
  const held = mdev.life === 'open' ? null : stillHeld(moment, device, mdev);
  return (
    held ??
    notEnded(moment, device, mdev) ??
    tooMany(moment, device) ??
    switchMoved(moment, device, mdev) ??
    triggersMoved(moment, device, mdev) ??
    backingWrong(moment, device)
  );
}

/** What was to end and has not, or has ended although nobody asked. */
function notEnded({ config, operation, step, before }: MdevMoment, device: number, mdev: FollowedMdev): string | null {
  const isOk = step.outcome.kind === 'ok';
  const removed = isOk && operation.kind === 'host.removeMdev' && operation.device === device;
  const detached = isOk && operation.kind === 'host.detach' && operation.device === device;
  const crashed = operation.kind === 'host.crash' && config.devices[device]?.mdev?.vm === operation.vm;
  if (removed && mdev.life !== 'gone') return `mdev ${device} was removed and is ${mdev.life}`;
  if ((removed || detached || crashed) && mdev.defaultPasid !== 0)
    return `mdev ${device} is not to be attached any more and has default PASID ${mdev.defaultPasid}`;
  const wasAttached = mdevOf(before, device).defaultPasid !== 0;
  return wasAttached && mdev.defaultPasid === 0 && !removed && !detached && !crashed
    ? `mdev ${device} is not attached any more, and nobody asked`
    : null;
}

function tooMany({ config, after }: MdevMoment, device: number): string | null {
  let owned = 0;
  for (const entry of after.entries) if (entry.device === device) owned += 1;
  return owned <= config.parent.quota
    ? null
    : `mdev ${device} has ${owned} entries of the ${config.parent.quota} it may`;
}

/** What an mdev that nobody holds still has. */
function stillHeld({ after }: MdevMoment, device: number, mdev: FollowedMdev): string | null {
  const what = `mdev ${device} is ${mdev.life} and`;
  if (mdev.enable) return `${what} has MSI-X set up`;
  const entry = after.entries.find((one) => one.device === device);
  if (entry !== undefined) return `${what} has ${printImsEntry(entry)}`;
  if (mdev.states.length > 0) return `${what} has vectors that are not as they were made`;
  if (mdev.life === 'gone' && mdev.defaultPasid !== 0) return `${what} has default PASID ${mdev.defaultPasid}`;
  const descriptor = after.descriptors.find((one) => one.device === device);
  return descriptor === undefined ? null : `${what} has descriptor ${descriptor.descriptor} in flight`;
}

/** MSI-X is set up and disabled by calls, and disabled with the last hold on the mdev and with its domain. */
function switchMoved({ before, calls, operation }: MdevMoment, device: number, mdev: FollowedMdev): string | null {
  const old = mdevOf(before, device);
  if (calls.length === 0 && old.enable === mdev.enable) return null;
  const own = calls.filter((call) => call.granted && call.operation.device === device);
  const off = own.some((call) => disablesMsix(call.operation));
  if (off && mdev.enable && !own.some((call) => setsMsix(call.operation)))
    return `MSI-X of mdev ${device} was disabled and is set up`;
  if (old.enable === mdev.enable) return null;
  if (mdev.enable)
    return own.some((call) => setsMsix(call.operation)) ? null : `MSI-X of mdev ${device} is set up and nobody asked`;
  const ended = mdev.life !== 'open' || mdev.defaultPasid === 0 || operation.kind === 'host.detach';
  return off || ended ? null : `MSI-X of mdev ${device} is off and nobody asked`;
}

/** A vector gains or loses its trigger in a call about it, which, when granted, gives each vector what it says. */
function triggersMoved(moment: MdevMoment, device: number, mdev: FollowedMdev): string | null {
  for (const change of moment.changes) {
    if (change.kind !== 'vector' || change.device !== device || ((change.old ^ change.now) & ARMED) === 0) continue;
    const { vector, now } = change;
    if (!mdev.enable || moment.calls.some(({ operation }) => isAbout(operation, device, vector))) continue;
    const what = (now & ARMED) === 0 ? 'lost' : 'gained';
    return `vector ${vector} of mdev ${device} ${what} its trigger, and nobody asked for it`;
  }
  const last = moment.calls.at(-1);
  if (last === undefined || !last.granted || !setsMsix(last.operation) || last.operation.device !== device) return null;
  return notGranted(mdev, last.operation);
}

/** Whether a call sets the trigger of a vector. */
function isAbout(operation: Operation, device: number, vector: number): boolean {
  return setsMsix(operation) && operation.device === device && isInRange(operation, vector);
}

function notGranted({ states }: FollowedMdev, { device, start, count, data }: VfioSetIrqs): string | null {
  for (let place = 0; place < count && place < data.length; place += 1) {
    const name = `vector ${start + place} of mdev ${device}`;
    const armed = (at(states, start + place) & ARMED) !== 0;
    if (isEventfdName(data[place]) && !armed) return `${name} was given a trigger and has none`;
    if (!isEventfdName(data[place]) && armed) return `${name} keeps the trigger that was taken from it`;
  }
  return null;
}

/** Which vectors have entries: by `allocation` those with triggers, or all while MSI-X is set up. */
function backingWrong({ config, after }: MdevMoment, device: number): string | null {
  const { states, backing, enable } = mdevOf(after, device);
  const all = config.mdev.allocation !== 'per-vector';
  const vectors = config.devices[device]?.msixVectors ?? 0;
  for (let vector = 1; vector < vectors; vector += 1) {
    const has = at(backing, vector) !== 0;
    const armed = (at(states, vector) & ARMED) !== 0;
    if (has === (all ? enable : armed)) continue;
    const name = `vector ${vector} of mdev ${device}`;
    const state = all ? `MSI-X ${enable ? 'set up' : 'off'}` : armed ? 'a trigger' : 'no trigger';
    return `${name} has ${state} and ${has ? `entry ${at(backing, vector) - 1}` : 'no entry'}`;
  }
  return null;
}
