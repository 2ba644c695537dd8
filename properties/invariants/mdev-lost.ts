import { INVALID_INTERRUPT_HANDLE, PENDING, type Step } from '#vocabulary';
import { descriptorOf, entryOf, type FollowedDescriptor, isLive } from './followed-parent.ts';
import { type Breach, KEPT, type MdevWatch } from './invariant.ts';
import { isDeliverable, NO_ACCOUNT, printTally } from './mdev-deliveries.ts';
import { carried } from './mdev-entries.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/**
 * Every descriptor ends once and its guest is told how; one that asks for an interrupt makes one, unless it was refused
 * for a reason, its vector ignores it, or its own mdev is reset or closed.
 */
export function watchLostCompletions(): MdevWatch {
  return (moment) => {
    if (moment.still && moment.account.claims.length === 0 && moment.before.descriptors.length === 0) return KEPT;
    const breaches: Breach[] = [];
    if (moment.account !== NO_ACCOUNT) breaches.push(...missingSignals(moment));
    keptBack(moment, breaches);
    untold(moment, breaches);
    breaches.push(...refusedWrongly(moment));
    return breaches;
  };
}

function missingSignals(moment: MdevMoment): Breach[] {
  const breaches = moment.account.tallies
    .filter(({ counted, least }) => counted < least)
    .map((tally) =>
      breach(moment, `${printTally(tally)} was signalled ${tally.counted} times where ${tally.least} were owed`),
    );
  for (const { what, least, eventfds } of moment.account.claims)
    if (least > 0 && eventfds.length === 0)
      breaches.push(breach(moment, `an interrupt of ${what} went away: it is neither pending nor told to anybody`));
  return breaches;
}

/** Nothing stays pending once it can be told. */
function keptBack(moment: MdevMoment, breaches: Breach[]): void {
  for (const change of moment.changes) {
    if (change.kind !== 'vector' || (change.now & PENDING) === 0) continue;
    const { device, vector } = change;
    if (isDeliverable(moment, device, vector))
      breaches.push(breach(moment, `vector ${vector} of mdev ${device} is pending and nothing holds it back`));
  }
}

/** A descriptor that is no longer in flight was reported once, to the mdev that submitted it. */
function untold(moment: MdevMoment, breaches: Breach[]): void {
  const { before, after, step } = moment;
  const dropped = droppedAtOnce(moment);
  if (dropped !== null) breaches.push(breach(moment, dropped));
  for (const descriptor of before.descriptors) {
    const ends = endsIn(step, descriptor);
    const inFlight = descriptorOf(after, descriptor.descriptor) !== undefined;
    const left = leftAlone(moment, descriptor);
    if (inFlight === (ends === 0) && ends <= 1 && !left) continue;
    const what = `descriptor ${descriptor.descriptor} of mdev ${descriptor.device}`;
    const over = inFlight ? `${what} was reported and is in flight` : `${what} is over and was reported ${ends} times`;
    const message = left ? `${what} is ${descriptor.phase} as before, and the hardware has gone on with it` : over;
    breaches.push(breach(moment, message, descriptor.submittedAt + 1));
  }
}

/** How often a step says that a descriptor ended. */
function endsIn({ events }: Step, { descriptor }: FollowedDescriptor): number {
  let ends = 0;
  for (const event of events) if (event.kind === 'completed' && event.descriptor === descriptor) ends += 1;
  return ends;
}

/** A descriptor that was taken is in flight, or was reported in the same step. */
function droppedAtOnce({ operation, step, after }: MdevMoment): string | null {
  if (operation.kind !== 'guest.submit' || step.outcome.kind !== 'ok') return null;
  const { descriptor, device } = operation;
  const isReported = step.events.some((event) => event.kind === 'completed' && event.descriptor === descriptor);
  if (isReported || descriptorOf(after, descriptor) !== undefined) return null;
  return `descriptor ${descriptor} of mdev ${device} was taken, and is neither in flight nor reported`;
}

/** Whether the hardware was to begin or end the descriptor, could, and did not. */
function leftAlone({ operation, step, after }: MdevMoment, { descriptor, phase }: FollowedDescriptor): boolean {
  if (operation.kind !== 'device.start' && operation.kind !== 'device.complete') return false;
  if (operation.descriptor !== descriptor || step.outcome.kind !== 'ok') return false;
  return descriptorOf(after, descriptor)?.phase === phase;
}

/** One that begins against an entry of its own for its PASID, by a handle that is good, is let through. */
function refusedWrongly(moment: MdevMoment): Breach[] {
  const { operation, step, before } = moment;
  if (operation.kind !== 'device.start') return [];
  const refused = step.events.some(
    (event) =>
      event.kind === 'completed' &&
      event.descriptor === operation.descriptor &&
      event.status === INVALID_INTERRUPT_HANDLE,
  );
  const descriptor = refused ? descriptorOf(before, operation.descriptor) : undefined;
  if (descriptor === undefined || !isLetThrough(moment, descriptor)) return [];
  const { device, submittedAt, pasid, asked } = descriptor;
  const message =
    `descriptor ${descriptor.descriptor} of mdev ${device} was refused, and entry ${asked.handle} lets ` +
    `PASID ${pasid} through`;
  return [breach(moment, message, submittedAt + 1)];
}

function isLetThrough({ config, before }: MdevMoment, { asked, pasid }: FollowedDescriptor): boolean {
  if (asked.rci === false) return true;
  if (asked.handle >= config.parent.entries) return false;
  const entry = entryOf(before, asked.handle);
  if (carried(entry) !== pasid) return false;
  if (config.parent.handles === 'index') return true;
  return isLive(before, entry);
}
