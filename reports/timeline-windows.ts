import type { Operation, Scenario, Step, Trace, VmmCall, Window } from '#vocabulary';
import {
  deviceOf,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';

/**
 * The windows at each operation. Of the user of vfio: one opens with the call that turned MSI-X or MSI off, and lasts
 * until the next call on the same device; what other actors do meanwhile happens in it. Of a VMM: they open and close
 * while it reacts to one operation of its guest.
 */
export function windowsOf({ config, operations }: Scenario, traces: readonly Trace[]): readonly (readonly Window[])[] {
  const open = new Map<number, Window>();
  const armed = new Map<number, readonly Window[]>();
  return operations.map((operation, index) => {
    const steps = traces.flatMap(({ steps }) => steps[index] ?? []);
    const device = deviceOf(operation);
    if (device === undefined) return [...open.values()].slice(0, 1);
    if (operation.kind === 'device.armDescriptor') armed.set(device, [...(armed.get(device) ?? []), operation.window]);
    if (config.vmm !== undefined && operation.kind.startsWith('guest.')) {
      const here = armed.get(device) ?? [];
      armed.delete(device);
      return [...new Set(steps.flatMap((step) => [...raisedIn(step), ...openedFor(here, step)]))];
    }
    if (operation.kind.startsWith('vfio.')) open.delete(device);
    for (const step of steps) {
      const opened = openedBy(operation, step);
      if (opened !== undefined) open.set(device, opened);
    }
    return [open.get(device)].flatMap((window) => window ?? []);
  });
}

function openedBy(operation: Operation, step: Step): Window | undefined {
  return raisedIn(step)[0] ?? (turnsVectorsOff(operation) && step.outcome.kind === 'ok' ? 'teardown-gap' : undefined);
}

/** The windows in which devices raised. */
function raisedIn({ events }: Step): readonly Window[] {
  return events.flatMap((event) => (event.kind === 'raised' && event.window !== null ? [event.window] : []));
}

/** Of the windows that descriptors wait for those that the VMM's calls opened: no event of a descriptor says which. */
function openedFor(windows: readonly Window[], { calls = [] }: Step): readonly Window[] {
  return windows.filter((window) => calls.some((call) => opens(call, window)));
}

/** How many calls a VMM had made when the window opened. */
export function callsBefore(calls: readonly VmmCall[], window: Window): number {
  if (window === 'before-call') return 0;
  const opener = calls.findIndex((call) => opens(call, window));
  return opener === -1 ? calls.length : opener + 1;
}

function opens(call: VmmCall, window: Window): boolean {
  if (call.kind !== 'vfio') return false;
  const { operation, outcome } = call;
  switch (window) {
    case 'before-call':
      return true;
    case 'teardown-gap':
      return turnsVectorsOff(operation) && outcome.kind === 'ok';
    case 'after-set':
      return (
        operation.kind === 'vfio.setIrqs' &&
        operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
        operation.flags === (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
      );
  }
}

function turnsVectorsOff(operation: Operation): boolean {
  return (
    operation.kind === 'vfio.setIrqs' &&
    (operation.index === VFIO_PCI_MSI_IRQ_INDEX || operation.index === VFIO_PCI_MSIX_IRQ_INDEX) &&
    operation.flags === (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER) &&
    operation.count === 0
  );
}
