import { ALLOCATED, PENDING, VFIO_IRQ_INFO_NORESIZE, VFIO_PCI_MSI_IRQ_INDEX } from '#vocabulary';
import { disables, type IrqType, isEventfdName, setsVectors } from './calls.ts';
import { type Invariant, KEPT, type Watch } from './invariant.ts';
import { type DeviceView, type Moment, ownTransitions } from './moment.ts';

/** What was taken is given back, then and only then. */
export const noLeak: Invariant = {
  id: 'no-leak',
  promise:
    'Disabling and the end of the last hold on a device give every interrupt back; nothing else does, and nothing is ' +
    'used up on the way.',
  source: 'vfio_msi_disable, vfio_intx_disable, vfio_pci_core_disable, Linux 6.1 and 6.12',
  start: (): Watch => (moment) => {
    const wrong = moment.device === undefined ? null : (leaked(moment, moment.device) ?? usedUp(moment));
    return wrong === null ? KEPT : [{ step: moment.index, causes: [moment.index], message: wrong }];
  },
};

const TYPE_NAMES: Readonly<Record<IrqType, string>> = { none: 'nothing', intx: 'INTx', msi: 'MSI', msix: 'MSI-X' };

const HOLDS: readonly string[] = ['vfio.open', 'vfio.close', 'vfio.mapBar', 'vfio.unmapBar'];

function leaked({ operation, step }: Moment, device: DeviceView): string | null {
  const { before, after } = device;
  const letGo = before.held && !after.held;
  const disabled = disables(operation) && step.outcome.kind === 'ok';
  if (letGo || disabled) {
    if (after.allocated > 0 || after.armed > 0)
      return `${after.allocated} vectors are allocated and ${after.armed} armed after ${operation.kind}`;
    return after.type === 'none' ? null : `${TYPE_NAMES[after.type]} is set up after ${operation.kind}`;
  }
  if (HOLDS.includes(operation.kind) && hasChanged(device, operation.kind))
    return `${operation.kind} changed vectors although it was not the last close`;
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
  const freed = transitions.find((transition) => (transition.before & ALLOCATED) > (transition.after & ALLOCATED));
  if (freed !== undefined) return `vector ${freed.vector} was freed while ${TYPE_NAMES[after.type]} stays on`;
  const added = transitions.find((transition) => (transition.before & ALLOCATED) < (transition.after & ALLOCATED));
  const canGrow = before.type === 'msix' && (before.infoFlags & VFIO_IRQ_INFO_NORESIZE) === 0;
  if (added !== undefined && !canGrow)
    return `vector ${added.vector} was added while ${TYPE_NAMES[after.type]} stays on, despite NORESIZE`;
  return null;
}

/** A call cannot run out of host vectors when enough were free for all it asked. */
function usedUp({ operation, step, device, hostVectorsFree, allocationMayFail }: Moment): string | null {
  if (step.outcome.kind !== 'errno' || step.outcome.errno !== 'ENOSPC' || !setsVectors(operation)) return null;
  if (allocationMayFail) return null;
  // MSI takes a host vector for each vector it allocates, armed or not.
  const enablesMsi = operation.index === VFIO_PCI_MSI_IRQ_INDEX && device?.before.type === 'none';
  const armed = operation.data.slice(0, operation.count).filter(isEventfdName).length;
  const wanted = enablesMsi ? operation.start + operation.count : armed;
  return wanted <= hostVectorsFree
    ? `${wanted} vectors were asked for, ${hostVectorsFree} were free, and none was left`
    : null;
}
