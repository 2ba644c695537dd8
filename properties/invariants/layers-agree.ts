import { ALLOCATED, ARMED, UNMASKED } from '#vocabulary';
import { type Invariant, KEPT, type Watch } from './invariant.ts';
import type { DeviceView, Transition } from './moment.ts';

/** vfio-pci, the irq domain and the device's registers tell the same story. */
export const layersAgree: Invariant = {
  id: 'layers-agree',
  promise:
    'An entry is unmasked exactly when its vector is armed, an armed vector owns a Linux irq, ' +
    'and MSI-X is on exactly when vectors are allocated.',
  source: 'vfio_msi_set_vector_signal, msix_capability_init, pci_free_irq_vectors, Linux 6.1 and 6.12',
  start: (): Watch => (moment) => {
    const breaches = moment.devices.flatMap((device) => {
      const wrong = registersDisagree(device) ?? firstWrong(device);
      return wrong === null ? [] : [{ step: moment.index, causes: [moment.index], message: wrong }];
    });
    return breaches.length === 0 ? KEPT : breaches;
  },
};

function registersDisagree({ after }: DeviceView): string | null {
  if (after.functionMask) return 'Function Mask is set between operations';
  if (after.enable && after.allocated === 0) return 'MSI-X is on and no vector is allocated';
  if (!after.enable && after.allocated > 0) return `MSI-X is off and ${after.allocated} vectors are allocated`;
  return null;
}

function firstWrong({ transitions }: DeviceView): string | null {
  for (const transition of transitions) {
    const wrong = vectorDisagrees(transition);
    if (wrong !== null) return wrong;
  }
  return null;
}

function vectorDisagrees({ vector, after }: Transition): string | null {
  const armed = (after & ARMED) !== 0;
  if (armed && (after & ALLOCATED) === 0) return `vector ${vector} is armed and owns no Linux irq`;
  if (armed && (after & UNMASKED) === 0) return `vector ${vector} is armed and its entry is masked`;
  if (!armed && (after & UNMASKED) !== 0) return `vector ${vector} is not armed and its entry is unmasked`;
  return null;
}
