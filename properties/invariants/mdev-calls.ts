import {
  isEventfdName,
  type Operation,
  type Step,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioReset,
  type VfioSetIrqs,
} from '#vocabulary';
import { disables, setsVectors } from './calls.ts';

/** A call to an mdev, of the scenario or of a VMM. */
export interface MdevCall {
  readonly operation: VfioSetIrqs | VfioReset;
  readonly granted: boolean;
}

const NO_CALLS: readonly MdevCall[] = [];

/** What a step asked of vfio, in order. */
export function callsIn(operation: Operation, step: Step): readonly MdevCall[] {
  if (operation.kind === 'vfio.setIrqs' || operation.kind === 'vfio.reset')
    return [{ operation, granted: step.outcome.kind === 'ok' }];
  if (step.calls === undefined || step.calls.length === 0) return NO_CALLS;
  return step.calls.flatMap((call): MdevCall[] =>
    call.kind === 'vfio' ? [{ operation: call.operation, granted: call.outcome.kind === 'ok' }] : [],
  );
}

/** Whether a call sets triggers of MSI-X vectors. */
export function setsMsix(operation: Operation): operation is VfioSetIrqs {
  return setsVectors(operation) && operation.index === VFIO_PCI_MSIX_IRQ_INDEX;
}

/** Whether a call disables MSI-X. */
export function disablesMsix(operation: Operation): boolean {
  return disables(operation) && operation.index === VFIO_PCI_MSIX_IRQ_INDEX;
}

/** Whether the vector is in the range of a call. */
export function isInRange({ start, count }: VfioSetIrqs, vector: number): boolean {
  return vector >= start && vector < start + count;
}

/** Whether a call gives the vector an eventfd. */
export function givesEventfd(call: VfioSetIrqs, vector: number): boolean {
  return isInRange(call, vector) && isEventfdName(call.data[vector - call.start]);
}
