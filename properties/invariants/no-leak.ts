import { ALLOCATED, VFIO_IRQ_INFO_NORESIZE } from '#vocabulary';
import { type Invariant, KEPT, type Watch } from './invariant.ts';
import {
  type DeviceView,
  disablesMsix,
  isEventfdName,
  type Moment,
  ownTransitions,
  setsMsixTriggers,
} from './moment.ts';

/** What was taken is given back, then and only then. */
export const noLeak: Invariant = {
  id: 'no-leak',
  promise: 'Disabling and the last close give every vector back; nothing else does, and nothing is used up on the way.',
  source: 'vfio_msi_disable, vfio_pci_core_disable, Linux 6.1 and 6.12',
  start: (): Watch => (moment) => {
    const wrong = moment.device === undefined ? null : (leaked(moment, moment.device) ?? usedUp(moment));
    return wrong === null ? KEPT : [{ step: moment.index, causes: [moment.index], message: wrong }];
  },
};

function leaked({ operation, step }: Moment, device: DeviceView): string | null {
  const { before, after } = device;
  const closed = operation.kind === 'vfio.close' && before.open && !after.open;
  const disabled = disablesMsix(operation) && step.outcome.kind === 'ok';
  if (closed || disabled) {
    if (after.enable || after.allocated > 0 || after.armed > 0)
      return `${after.allocated} vectors are allocated and ${after.armed} armed after ${operation.kind}`;
    return null;
  }
  if ((operation.kind === 'vfio.close' || operation.kind === 'vfio.open') && ownTransitions(device).length > 0)
    return `${operation.kind} changed vectors although it was not the last close`;
  return allocationMoved(device);
}

/** Between enable and disable no vector is freed, and where NORESIZE is reported none is added. */
function allocationMoved({ before, after, transitions }: DeviceView): string | null {
  if (!before.enable || !after.enable) return null;
  const freed = transitions.find((transition) => (transition.before & ALLOCATED) > (transition.after & ALLOCATED));
  if (freed !== undefined) return `vector ${freed.vector} was freed while MSI-X stays on`;
  const added = transitions.find((transition) => (transition.before & ALLOCATED) < (transition.after & ALLOCATED));
  if (added !== undefined && (before.infoFlags & VFIO_IRQ_INFO_NORESIZE) !== 0)
    return `vector ${added.vector} was added while MSI-X stays on, despite NORESIZE`;
  return null;
}

/** A call cannot run out of host vectors when enough were free for all it asked. */
function usedUp({ operation, step, hostVectorsFree }: Moment): string | null {
  if (step.outcome.kind !== 'errno' || step.outcome.errno !== 'ENOSPC' || !setsMsixTriggers(operation)) return null;
  const wanted = operation.data.slice(0, operation.count).filter(isEventfdName).length;
  return wanted <= hostVectorsFree
    ? `${wanted} vectors were asked for, ${hostVectorsFree} were free, and none was left`
    : null;
}
