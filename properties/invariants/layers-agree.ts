import * as vocabulary from '#vocabulary';
import { type Breach, type Invariant, KEPT, type Watch } from './invariant.ts';
import { watchMdevLayers } from './mdev-layers.ts';
import type { DeviceView, Moment, Transition } from './moment.ts';
import { watchVmmLayers } from './vmm-layers.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const { ALLOCATED, ARMED, INTX_DISABLE, INTX_HANDLER, INTX_STATUS, MSI_ENABLE, UNMASKED } = vocabulary;

/** vfio-pci, the irq domain and the device's registers tell the same story; with a VMM, its calls tell it as well. */
export const layersAgree: Invariant = {
  id: 'layers-agree',
  promise:
    'An entry is unmasked exactly when its vector is armed, an armed vector owns a Linux irq, one type of interrupt ' +
    'is set up at a time and the function has that turned on, and an asserted INTx is masked; what a VMM was granted ' +
    'is what the function has; an mdev says of its vectors what their IMS entries say.',
  source:
    'vfio_msi_set_vector_signal, msix_capability_init, pci_free_irq_vectors, vfio_intx_handler, Linux 6.1 and 6.12',
  start: (): Watch => watchLayers,
  startGuest: watchVmmLayers,
  startMdev: watchMdevLayers,
};

function watchLayers(moment: Moment): readonly Breach[] {
  let breaches = KEPT;
  for (let at = 0; at < moment.devices.length; at += 1) {
    const device = moment.devices[at] as DeviceView;
    const message = msixDisagrees(device) ?? othersDisagree(device) ?? firstWrong(device);
    if (message !== null) breaches = [...breaches, { step: moment.index, causes: [moment.index], message }];
  }
  return breaches;
}

function msixDisagrees({ after, config }: DeviceView): string | null {
  if (after.functionMask) return 'Function Mask is set between operations';
  if (after.enable && after.allocated === 0) return 'MSI-X is on and no vector is allocated';
  if (!after.enable && after.allocated > 0 && config.msiVectors === undefined)
    return `MSI-X is off and ${after.allocated} vectors are allocated`;
  return null;
}

function othersDisagree({ after, choices }: DeviceView): string | null {
  const { registers, type, allocated } = after;
  if (type === 'msi' && !choices.msiOff && (registers & MSI_ENABLE) === 0)
    return 'MSI is set up and the function has it turned off';
  if ((registers & MSI_ENABLE) !== 0 && type !== 'msi') return `MSI is on and ${type} is set up`;
  if ((registers & INTX_HANDLER) === 0) return null;
  if (type !== 'intx') return `INTx has its handler and ${allocated} vectors are allocated`;
  if ((registers & INTX_STATUS) !== 0 && (registers & INTX_DISABLE) === 0) return 'INTx is asserted and not masked';
  return null;
}

function firstWrong(device: DeviceView): string | null {
  const { transitions } = device;
  for (let at = 0; at < transitions.length; at += 1) {
    const wrong = vectorDisagrees(device, transitions[at] as Transition);
    if (wrong !== null) return wrong;
  }
  return null;
}

function vectorDisagrees({ after: { type }, wiped }: DeviceView, { vector, after }: Transition): string | null {
  const armed = (after & ARMED) !== 0;
  const unmasked = (after & UNMASKED) !== 0;
  if (armed && (after & ALLOCATED) === 0) return `vector ${vector} is armed and owns no Linux irq`;
  if (!armed && unmasked) return `vector ${vector} is not armed and its entry is unmasked`;
  // MSI has no masks, and an entry that the device has lost is masked without anybody's knowing.
  if (armed && !unmasked && type === 'msix' && !wiped.has(vector))
    return `vector ${vector} is armed and its entry is masked`;
  return null;
}
