import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  INTX_STATUS,
  MSI_ENABLE,
  MSI_MESSAGE,
  PENDING,
  printRegisters,
} from '#vocabulary';
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

function resetWrong(moment: Moment, device: DeviceView): string | null {
  const { operation, step } = moment;
  const { config, before, after } = device;
  if (operation.kind !== 'vfio.reset')
    return config.reset === true && before.held !== after.held ? keptEvents(device) : null;
  if (!before.open) return null;
  if (step.outcome.kind !== 'ok') return config.reset === true ? 'the function can be reset and was not' : null;
  if (config.reset !== true) return 'the function cannot be reset and the call succeeded';
  if (before.type !== after.type) return `${before.type} was set up before the reset and ${after.type} after it`;
  const owned = ALLOCATED | ARMED;
  const lost = ownTransitions(device).find((transition) => (transition.before & owned) !== (transition.after & owned));
  if (lost !== undefined) return `vector ${lost.vector} changed hands in the reset`;
  return keptEvents(device) ?? notRestored(device);
}

/** Pending bits and INTx go with a reset; an event of the same step may have come after it. */
function keptEvents(device: DeviceView): string | null {
  if ((device.after.registers & INTX_STATUS) !== 0) return 'INTx is asserted after the reset';
  for (const [vector, state] of device.states()) {
    if ((state & PENDING) !== 0 && !device.raised.includes(vector))
      return `vector ${vector} is pending after the reset`;
  }
  return null;
}

function notRestored(device: DeviceView): string | null {
  const { type, registers } = device.after;
  const message = (device.stateAfter(0) & ARMED) !== 0 ? MSI_MESSAGE : 0;
  if (type === 'msi' && (registers & (MSI_ENABLE | message)) !== (MSI_ENABLE | message))
    return `MSI is set up and reads ${printRegisters(registers)} after the reset`;
  for (const [vector, state] of device.states())
    if ((state & ADDRESS_0) !== 0) return `vector ${vector} has no message after the reset`;
  return null;
}
