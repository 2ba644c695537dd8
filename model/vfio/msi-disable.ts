import { cite, declare } from '../cite.ts';
import { freeIrq } from '../irq/irq-action.ts';
import { pciFreeIrqVectors } from '../irq/msi-domain.ts';
import type { VfioDevice } from './device.ts';

const CLAUSE = declare({
  disable: {
    id: 'vfio.msi-disable.all',
    title: 'Disabling removes every trigger, frees every vector and leaves no interrupt type.',
    source: 'vfio_msi_disable, Linux 6.1 and 6.12',
  },
  removeTrigger: {
    id: 'vfio.msi-disable.remove-trigger',
    title: 'Removing a trigger frees the handler and drops the eventfd; the Linux irq stays with the vector.',
    source: 'vfio_msi_set_vector_signal, Linux 6.1 and 6.12',
  },
});

/** Source: vfio_msi_disable, Linux 6.1 and 6.12. */
export function msiDisable(device: VfioDevice): void {
  cite(CLAUSE.disable);
  for (const vector of device.triggers.keys()) removeTrigger(device, vector);
  pciFreeIrqVectors(device.domain);
  device.irqType = 'none';
}

/** The first half of vfio_msi_set_vector_signal. A vector without a trigger is left alone. */
export function removeTrigger(device: VfioDevice, vector: number): void {
  if (!device.triggers.has(vector)) return;
  cite(CLAUSE.removeTrigger);
  freeIrq(device.domain, vector);
  device.triggers.delete(vector);
}
