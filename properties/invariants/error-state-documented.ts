import {
  ALLOCATED,
  ARMED,
  type DataElement,
  INTX_DISABLE,
  INTX_STATUS,
  isEventfdName,
  MSI_MESSAGE,
  PENDING,
  printRegisters,
  UNMASKED,
  VFIO_PCI_MSI_IRQ_INDEX,
} from '#vocabulary';
import { type Call, setsIntx } from './calls.ts';
import { type Breach, type Invariant, KEPT, type Watch } from './invariant.ts';
import { watchMdevErrors } from './mdev-errors.ts';
import { canGrow, type DeviceView, type Moment, ownTransitions, type Transition } from './moment.ts';

/** What a failed call may leave behind. */
export const errorStateDocumented: Invariant = {
  id: 'error-state-documented',
  promise:
    'After an error, or a positive return, nothing has changed, but that a failed range has disarmed its vectors up ' +
    'to the one that failed, and with them their IMS entries.',
  source: 'vfio_msi_set_block, Linux 6.1 and 6.12; A. Williamson on the dynamic MSI-X series, April 2023',
  start: (): Watch => watchErrors,
  startMdev: watchMdevErrors,
};

function watchErrors(moment: Moment): readonly Breach[] {
  const { device, granted, step, index } = moment;
  if (granted || device === undefined) return KEPT;
  if (step.outcome.kind !== 'errno' && step.outcome.kind !== 'positive') return KEPT;
  const wrong = registersChanged(moment, device) ?? vectorsChanged(moment, device);
  if (wrong === null) return KEPT;
  const what = step.outcome.kind === 'errno' ? step.outcome.errno : step.outcome.value;
  return [{ step: index, causes: [index], message: `${what} was returned and yet ${wrong}` }];
}

function registersChanged(moment: Moment, { before, after }: DeviceView): string | null {
  if (before.enable !== after.enable) return `MSI-X Enable went from ${before.enable} to ${after.enable}`;
  if (before.infoFlags !== after.infoFlags)
    return `the flags of the index went from ${before.infoFlags} to ${after.infoFlags}`;
  if (((before.registers ^ after.registers) & ~mayChange(moment, before)) !== 0)
    return `the registers went from ${printRegisters(before.registers)} to ${printRegisters(after.registers)}`;
  return null;
}

/**
 * Vector 0 of MSI takes the message with it when it loses its trigger, and one that was left in D3hot goes with the
 * next attempt. MSI or MSI-X that was on for a moment has deasserted INTx, and INTx that could not be set up has left
 * Interrupt Disable as the user has it.
 */
function mayChange({ call, arming }: Moment, { type }: DeviceView['before']): number {
  if (arming === null) return call !== null && setsIntx(call) && type === 'none' ? INTX_DISABLE : 0;
  const isMsi = arming.index === VFIO_PCI_MSI_IRQ_INDEX;
  const message = isMsi && (arming.start === 0 || type === 'none') ? MSI_MESSAGE : 0;
  return type === 'none' ? message | INTX_STATUS : message;
}

function vectorsChanged({ arming }: Moment, device: DeviceView): string | null {
  const transitions = ownTransitions(device);
  if (transitions.length === 0) return null;
  if (arming === null) return `vector ${transitions[0]?.vector} changed`;
  for (const transition of transitions) {
    const wrong = undocumented(device, arming, transition);
    if (wrong !== null) return wrong;
  }
  return keptBeforeLost(device, arming, transitions) ?? changedBehind(arming, transitions);
}

/**
 * A vector of the failed range may lose its trigger, deliver what was pending, and where vectors can be added keep a
 * new Linux irq.
 */
function undocumented(device: DeviceView, call: Call, { vector, before, after }: Transition): string | null {
  if (vector < call.start || vector >= call.start + call.count) return `vector ${vector} outside the range changed`;
  if ((after & (ARMED | UNMASKED)) !== 0 && (before & ARMED) === 0) return `vector ${vector} was armed`;
  if ((before & ALLOCATED) !== 0 && (after & ALLOCATED) === 0) return `vector ${vector} lost its Linux irq`;
  if ((after & PENDING) > (before & PENDING)) return `vector ${vector} became pending`;
  const added = (after & ALLOCATED) > (before & ALLOCATED);
  if (added && !canGrow(device.before)) return `vector ${vector} was added despite NORESIZE`;
  return null;
}

/** The vectors that lost their trigger are the first of the range: none before them has kept its own. */
function keptBeforeLost(device: DeviceView, call: Call, transitions: readonly Transition[]): string | null {
  const lastLost = transitions.findLast(({ before, after }) => (before & ARMED) !== 0 && (after & ARMED) === 0)?.vector;
  if (lastLost === undefined) return null;
  for (let vector = call.start; vector < lastLost; vector += 1) {
    if ((device.stateAfter(vector) & ARMED) !== 0) return `vector ${vector} kept its trigger while ${lastLost} lost it`;
  }
  return null;
}

/** Nothing behind a descriptor that cannot be used was ever reached. */
function changedBehind({ start, data }: Call, transitions: readonly Transition[]): string | null {
  const refused = data.findIndex(isRefused);
  const behind = refused === -1 ? undefined : transitions.find(({ vector }) => vector > start + refused);
  return behind === undefined
    ? null
    : `vector ${behind.vector} changed, behind vector ${start + refused} with a bad descriptor`;
}

/** Not an eventfd, and not a negative number, which takes the trigger away. */
function isRefused(element: DataElement): boolean {
  return typeof element === 'number' ? (element | 0) >= 0 : !isEventfdName(element);
}
