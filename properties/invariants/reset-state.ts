import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  INTX_STATUS,
  MSI_ENABLE,
  MSI_MESSAGE,
  PENDING,
  printRegisters,
  printVectorState,
} from '#vocabulary';
import type { GuestMoment, GuestView } from './guest-moment.ts';
import { type Breach, type GuestWatch, type Invariant, KEPT, type Watch } from './invariant.ts';
import { watchMdevResets } from './mdev-resets.ts';
import { type DeviceView, type Moment, ownTransitions } from './moment.ts';

/** What is left after VFIO_DEVICE_RESET. */
export const resetState: Invariant = {
  id: 'reset-state',
  promise:
    'VFIO_DEVICE_RESET succeeds where the function can be reset; the interrupts stay set up with their triggers, and ' +
    'nothing is pending or asserted afterwards. A VMM resets the function with its guest, which finds MSI-X off, all ' +
    'masked and nothing pending.',
  source: 'vfio_pci_ioctl_reset, pci_restore_msi_state, Linux 6.1 and 6.12; PCIe 6.0, 6.6.2',
  start: (): Watch => watchResets,
  startGuest: (): GuestWatch => watchGuestResets,
  startMdev: watchMdevResets,
  startMdevGuest: (): GuestWatch => watchGuestResets,
};

function watchResets(moment: Moment): readonly Breach[] {
  const wrong = moment.device === undefined ? null : resetWrong(moment, moment.device);
  return wrong === null ? KEPT : [{ step: moment.index, causes: [moment.index], message: wrong }];
}

function watchGuestResets({ operation, device, index }: GuestMoment): readonly Breach[] {
  const wrong = operation.kind === 'guest.reset' && device !== undefined ? guestResetWrong(device) : null;
  return wrong === null ? KEPT : [{ step: index, causes: [index], message: wrong }];
}

function guestResetWrong(view: GuestView): string | null {
  const { config, calls, seen, hostOn, raises } = view;
  const resets = calls?.filter((call) => call.kind === 'vfio' && call.operation.kind === 'vfio.reset') ?? [];
  const canReset = config.reset === true || config.mdev !== undefined;
  if (calls !== undefined && resets.length !== Number(canReset))
    return `the function ${canReset ? 'can' : 'cannot'} be reset and was ${resets.length} times`;
  if (hostOn || seen?.enable === true || seen?.functionMask === true) return 'MSI-X is not off after the reset';
  // A function without a reset of its own keeps its events, and one may come after the reset.
  const nothing = canReset && raises.length === 0 ? 0 : PENDING;
  for (const [vector, state] of view.guestStates)
    if ((state | nothing) !== nothing)
      return `the guest reads vector ${vector} as ${printVectorState(state)} after the reset`;
  return null;
}

function resetWrong(moment: Moment, device: DeviceView): string | null {
  const { kind, step } = moment;
  const { config, before, after } = device;
  if (kind !== 'vfio.reset') return config.reset === true && before.held !== after.held ? keptEvents(device) : null;
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
