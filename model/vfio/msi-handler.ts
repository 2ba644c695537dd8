import { cite, declare } from '../cite.ts';
import type { VfioDevice } from './device.ts';
import { signal } from './eventfd.ts';

const CLAUSE = declare({
  handler: {
    id: 'vfio.msi-handler.signal',
    title: 'A message signals the trigger of its vector; the vector is not masked.',
    source: 'vfio_msihandler, Linux 6.1 and 6.12',
  },
});

/** A message has reached the host. Only a requested vector is unmasked, so its trigger is there. */
export function msiHandler(device: VfioDevice, vector: number): void {
  const trigger = device.triggers.get(vector);
  if (trigger === undefined) throw new Error(`vector ${vector} sent a message without a handler: the model's mistake`);
  cite(CLAUSE.handler);
  signal(device.eventfds, trigger);
}
