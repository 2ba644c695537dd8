import { ABANDONED, type Event, INVALID_INTERRUPT_HANDLE, SUCCESS } from '#vocabulary';
import { descriptorOf, mdevOf } from './followed-parent.ts';
import { type Breach, KEPT, type MdevWatch } from './invariant.ts';
import { NO_ACCOUNT, printTally } from './mdev-deliveries.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** Nothing is signalled, becomes pending or is reported as ended without something that has ended. */
export function watchSpuriousCompletions(): MdevWatch {
  return (moment) => {
    if (moment.still || (moment.account === NO_ACCOUNT && moment.step.events.length === 0)) return KEPT;
    const breaches = signals(moment);
    endings(moment, breaches);
    return breaches;
  };
}

function signals(moment: MdevMoment): Breach[] {
  const breaches = moment.account.tallies
    .filter(({ counted, most }) => counted > most)
    .map((tally) =>
      breach(
        moment,
        `${printTally(tally)} was signalled ${tally.counted} times where at most ${tally.most} had a reason`,
      ),
    );
  for (const { what, most } of moment.account.claims)
    if (most < 0) breaches.push(breach(moment, `${what} became pending and nothing had made an interrupt`));
  return breaches;
}

function endings(moment: MdevMoment, breaches: Breach[]): void {
  for (const event of moment.step.events) {
    const wrong = event.kind === 'completed' ? endWrong(moment, event) : null;
    if (wrong !== null) breaches.push(breach(moment, wrong));
  }
}

function endWrong(moment: MdevMoment, { device, descriptor, status }: Event & { kind: 'completed' }): string | null {
  const { config, operation, before, after, calls } = moment;
  const submitted = operation.kind === 'guest.submit' && operation.descriptor === descriptor ? operation : undefined;
  const known = descriptorOf(before, descriptor) ?? submitted;
  const what = `descriptor ${descriptor}`;
  if (known === undefined) return `${what} was not in flight and mdev ${device} reads that it ended`;
  if (known.device !== device) return `${what} was submitted by mdev ${known.device} and mdev ${device} reads its end`;
  // What was armed begins and ends in one step of a VMM.
  if (!('phase' in known) || config.vmm !== undefined) return null;
  switch (status) {
    case SUCCESS:
      return known.phase === 'started' ? null : `${what} had not begun and succeeded`;
    case INVALID_INTERRUPT_HANDLE:
      return operation.kind === 'device.start' && operation.descriptor === descriptor
        ? null
        : `${what} was refused, and not when it began`;
    case ABANDONED: {
      const resets = calls.some((call) => call.operation.kind === 'vfio.reset' && call.operation.device === device);
      const ends = mdevOf(after, device).life !== 'open' || mdevOf(after, device).defaultPasid === 0;
      return known.phase === 'queued' && (resets || ends) ? null : `${what} was abandoned, and its mdev is as it was`;
    }
  }
  return `${what} ended with status ${status}`;
}
