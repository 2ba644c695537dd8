import type { Delivery } from './deliveries.ts';
import { type Breach, type Invariant, KEPT, type Watch } from './invariant.ts';
import { watchSpuriousCompletions } from './mdev-spurious.ts';
import type { Moment } from './moment.ts';
import { watchSpuriousMessages } from './spurious-message.ts';

/** Nothing arrives that was not raised, or at whom it was not for. */
export const noSpuriousInterrupt: Invariant = {
  id: 'no-spurious-interrupt',
  promise: 'Nothing is delivered that was not raised, is masked, disarmed or disabled, or belongs to someone else.',
  source: 'PCIe 6.0, 6.1.4.5; vfio_msihandler, vfio_intx_handler, Linux 6.1 and 6.12',
  start: (): Watch => watchSpuriousSignals,
  startGuest: watchSpuriousMessages,
  startMdev: watchSpuriousCompletions,
  startMdevGuest: watchSpuriousMessages,
};

function watchSpuriousSignals(moment: Moment): readonly Breach[] {
  let breaches = KEPT;
  for (let at = 0; at < moment.deliveries.length; at += 1) {
    const { eventfd, counted, most } = moment.deliveries[at] as Delivery;
    if (counted <= most) continue;
    const message = `${eventfd} was signalled ${counted} times where at most ${most} had a reason`;
    breaches = [...breaches, { step: moment.index, causes: [moment.index], message }];
  }
  return breaches;
}
