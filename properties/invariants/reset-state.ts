import { ALLOCATED, ARMED, INTX_HANDLER, INTX_STATUS, MSI_ENABLE, PENDING, UNMASKED } from '#vocabulary';
import { type Invariant, KEPT, type Watch } from './invariant.ts';
import { type DeviceView, type Moment, ownTransitions } from './moment.ts';

/** What is left after VFIO_DEVICE_RESET. */
export const resetState: Invariant = {
  id: 'reset-state',
  promise:
    'VFIO_DEVICE_RESET succeeds where the function can be reset; the interrupts stay set up with their triggers, and ' +
    'nothing is pending or asserted afterwards.',
  source: 'vfio_pci_ioctl_reset, pci_restore_msi_state, Linux 6.1 and 6.12; PCIe 6.0, 6.6.2',
  start: (): Watch => (moment) => {
    const wrong = moment.device === undefined ? null : resetWrong(moment, moment.device);
    return wrong === null ? KEPT : [{ step: moment.index, causes: [moment.index], message: wrong }];
  },
};

function resetWrong({ operation, step }: Moment, device: DeviceView): string | null {
  if (operation.kind !== 'vfio.reset' || !device.before.open) return null;
  const { config, before, after } = device;
  const transitions = ownTransitions(device);
  if (step.outcome.kind !== 'ok') return config.reset === true ? 'the function can be reset and was not' : null;
  if (config.reset !== true) return 'the function cannot be reset and the call succeeded';
  if (before.type !== after.type) return `${before.type} was set up before the reset and ${after.type} after it`;
  const kept = MSI_ENABLE | INTX_HANDLER;
  if (before.type === 'intx' && (before.registers & kept) !== (after.registers & kept))
    return 'the reset took the INTx handler';
  if ((after.registers & INTX_STATUS) !== 0) return 'INTx is asserted after the reset';
  const owned = ALLOCATED | ARMED;
  const lost = transitions.find((transition) => (transition.before & owned) !== (transition.after & owned));
  if (lost !== undefined) return `vector ${lost.vector} changed hands in the reset`;
  const stays = transitions.find((transition) => (transition.after & (PENDING | UNMASKED)) === PENDING);
  return stays === undefined ? null : `vector ${stays.vector} is pending after the reset`;
}
