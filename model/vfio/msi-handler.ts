import { cite, declare } from '../cite.ts';
import type { VfioDevice } from './device.ts';
import { signal } from './eventfd.ts';

const CLAUSE = declare({
  handler: {
    id: 'vfio.msi-handler.signal',
    title: 'A message signals the trigger of its vector; the vector is not masked.',
    source: 'vfio_msihandler, Linux 6.1 and 6.12',
  },
  noHandler: {
    id: 'vfio.msi-handler.none',
    title: 'A message for an irq whose handler was freed is lost.',
    source: 'free_irq, irq_shutdown_and_deactivate, Linux 6.1 and 6.12',
  },
  replayed: {
    id: 'vfio.msi-handler.before-the-first',
    title: 'A message for an irq that has had no handler yet is kept for the first one.',
    source: 'handle_edge_irq, Linux 6.1 and 6.12',
  },
});

/** A message has reached the host. An MSI-X entry is unmasked only while its vector has a handler; MSI has no masks. */
export function msiHandler({ domain, triggers, eventfds }: VfioDevice, vector: number): void {
  const trigger = triggers.get(vector);
  if (trigger !== undefined) {
    cite(CLAUSE.handler);
    signal(eventfds, trigger);
    return;
  }
  if (!domain.activated.has(vector)) {
    cite(CLAUSE.noHandler);
    return;
  }
  cite(CLAUSE.replayed);
  domain.replay.add(vector);
}
