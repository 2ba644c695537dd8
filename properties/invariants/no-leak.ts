import * as vocabulary from '#vocabulary';
import { isEventfdName, printVectorState } from '#vocabulary';
import { type Call, disables, type IrqType, placesOf, setsIntx, setsVectors } from './calls.ts';
import { type Breach, type Invariant, KEPT, type Watch } from './invariant.ts';
import { watchMdevLeaks } from './mdev-leaks.ts';
import { canGrow, type DeviceView, isUntouched, type Moment, ownTransitions, type Transition } from './moment.ts';
import { watchVmmLeaks } from './vmm-leaks.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const { ADDRESS_0, ALLOCATED, ARMED, PENDING, UNMASKED, VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX } = vocabulary;

/** What was taken is given back, then and only then. */
export const noLeak: Invariant = {
  id: 'no-leak',
  promise:
    'What is set up, and which vectors have triggers, changes by the call that asks for it; disabling and the end of ' +
    'the last hold on a device give everything back, and nothing is used up on the way; a PASID is free when nothing ' +
    'refers to it.',
  source: 'vfio_msi_disable, vfio_intx_disable, vfio_pci_core_disable, Linux 6.1 and 6.12',
  start: (): Watch => watchLeaks,
  startGuest: watchVmmLeaks,
  startMdev: watchMdevLeaks,
};

function watchLeaks(moment: Moment): readonly Breach[] {
  const wrong = moment.device === undefined ? null : (leaked(moment, moment.device) ?? usedUp(moment));
  let breaches = wrong === null ? KEPT : [breach(moment, wrong)];
  for (let at = 0; at < moment.devices.length; at += 1) {
    const device = moment.devices[at] as DeviceView;
    if (isUntouched(device, moment)) continue;
    const moved = typeMoved(moment, device) ?? triggersMoved(moment, device);
    if (moved !== null) breaches = [...breaches, breach(moment, moved)];
  }
  return breaches;
}

function breach({ index }: Moment, message: string): Breach {
  return { step: index, causes: [index], message };
}

const TYPE_NAMES: Readonly<Record<IrqType, string>> = { none: 'nothing', intx: 'INTx', msi: 'MSI', msix: 'MSI-X' };

const HOLDS: readonly string[] = ['vfio.open', 'vfio.close', 'vfio.mapBar', 'vfio.unmapBar'];

function leaked({ kind, call, granted }: Moment, device: DeviceView): string | null {
  const { before, after } = device;
  const letGo = before.held && !after.held;
  const disabled = granted && call !== null && disables(call);
  if (letGo || disabled) {
    if (after.allocated > 0 || after.armed > 0)
      return `${after.allocated} vectors are allocated and ${after.armed} armed after ${kind}`;
    return after.type === 'none' ? null : `${TYPE_NAMES[after.type]} is set up after ${kind}`;
  }
  if (device.transitions.length === 0) return null;
  if (call === null && HOLDS.includes(kind) && hasChanged(device, kind))
    return `${kind} changed vectors although it was not the last close`;
  return allocationMoved(device);
}

/** A function that can be reset is at the first open, which drops what was pending. */
function hasChanged(device: DeviceView, kind: string): boolean {
  const resets = kind === 'vfio.open' && device.config.reset === true && !device.before.held;
  const dropped = resets ? PENDING : 0;
  return ownTransitions(device).some(({ before, after }) => (before & ~dropped) !== after);
}

/** While a type is set up no vector is freed, and where the index cannot grow none is added. */
function allocationMoved({ before, after, transitions }: DeviceView): string | null {
  if (before.type !== after.type || before.type === 'none') return null;
  let added: Transition | null = null;
  for (let at = 0; at < transitions.length; at += 1) {
    const transition = transitions[at] as Transition;
    const owned = transition.before & ALLOCATED;
    const owns = transition.after & ALLOCATED;
    if (owned > owns) return `vector ${transition.vector} was freed while ${TYPE_NAMES[after.type]} stays on`;
    if (owned < owns) added ??= transition;
  }
  if (added === null || canGrow(before)) return null;
  return `vector ${added.vector} was added while ${TYPE_NAMES[after.type]} stays on, despite NORESIZE`;
}

/** What is set up changes by the call that asks for it, or with the last hold on the device, and on no other device. */
function typeMoved(moment: Moment, device: DeviceView): string | null {
  const { before, after } = device;
  if (before.type === after.type) return null;
  const call = moment.granted && moment.device === device ? moment.call : null;
  const ends = call !== null && disables(call) && call.type === before.type;
  if (after.type === 'none' && (ends || (before.held && !after.held))) return null;
  const begins = call !== null && (setsVectors(call) || setsIntx(call)) && call.type === after.type;
  if (before.type === 'none' && begins) return null;
  return `${TYPE_NAMES[before.type]} was set up and ${TYPE_NAMES[after.type]} is, and nobody asked for it`;
}

/** A vector gains or loses its trigger in a call about it, which, when granted, gives each vector what it says. */
function triggersMoved(moment: Moment, device: DeviceView): string | null {
  const call = moment.device === device ? moment.arming : null;
  const stays = device.before.type === device.after.type;
  const moved = stays ? movedUnasked(device, call) : null;
  return moved ?? (call !== null && moment.granted ? notGranted(device, call) : null);
}

function movedUnasked({ transitions }: DeviceView, call: Call | null): string | null {
  for (let at = 0; at < transitions.length; at += 1) {
    const { vector, before, after } = transitions[at] as Transition;
    if ((before & ARMED) === (after & ARMED)) continue;
    if (call !== null && vector >= call.start && vector < call.start + call.count) continue;
    return `vector ${vector} ${(after & ARMED) !== 0 ? 'gained' : 'lost'} its trigger, and nobody asked for it`;
  }
  return null;
}

function notGranted(device: DeviceView, call: Call): string | null {
  const { type, start, data } = call;
  const live = type === 'msix' ? ARMED | UNMASKED : ARMED;
  const places = placesOf(call);
  for (let place = 0; place < places; place += 1) {
    const vector = start + place;
    const state = device.stateAfter(vector);
    if (!isEventfdName(data[place])) {
      if ((state & ARMED) !== 0) return `vector ${vector} keeps the trigger that was taken from it`;
      continue;
    }
    if ((state & live) !== live) return `vector ${vector} was given a trigger and is ${printVectorState(state)}`;
    if ((state & ADDRESS_0) !== 0 && !device.choices.inD3hot)
      return `vector ${vector} was given a trigger and no message`;
  }
  return null;
}

/** A call cannot run out of host vectors when enough were free for all it asked. */
function usedUp({ call, granted, step, device, hostVectorsFree, allocationMayFail }: Moment): string | null {
  const { outcome } = step;
  if (granted || allocationMayFail || device === undefined || call === null) return null;
  if (outcome.kind === 'positive' && call.index !== VFIO_PCI_MSI_IRQ_INDEX)
    return `${outcome.value} vectors could be had, and nothing was short`;
  if (outcome.kind !== 'errno' || outcome.errno !== 'ENOSPC') return null;
  const wanted = hostVectorsWanted(device, call);
  return wanted <= hostVectorsFree
    ? `${wanted} vectors were asked for, ${hostVectorsFree} were free, and none was left`
    : null;
}

/** INTx takes a host vector when it is set up, MSI one for each vector that it allocates then, armed or not. */
function hostVectorsWanted({ before }: DeviceView, call: Call): number {
  if (call.index === VFIO_PCI_INTX_IRQ_INDEX) return 1;
  if (call.index === VFIO_PCI_MSI_IRQ_INDEX) return before.type === 'none' ? call.start + call.count : 0;
  return call.data.filter(isEventfdName).length;
}
