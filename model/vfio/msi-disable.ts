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
  const { triggers } = device;
  for (let vector = triggers.next(0); vector !== -1; vector = triggers.next(vector + 1)) removeTrigger(device, vector);
  pciFreeIrqVectors(device.domain);
  device.irqType = 'none';
}

/** The first half of vfio_msi_set_vector_signal. Returns whether there was one: a vector without is left alone. */
export function removeTrigger(device: VfioDevice, vector: number): boolean {
  if (!device.triggers.delete(vector)) return false;
  cite(CLAUSE.removeTrigger);
  freeIrq(device.domain, vector);
  return true;
}
