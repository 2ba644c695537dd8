import {
  type Config,
  type Event,
  isGuestOperation,
  isMdevOperation,
  type Operation,
  type Outcome,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type Window,
} from '#vocabulary';

/**
 * The raises of each operation on a machine without VMM and mdevs, as the scenario and the outcomes tell them: there a
 * device raises when it is told, and nothing else opens a window.
 */
export class Raises {
  readonly #armed: { readonly vector: number; readonly window: Window }[][];

  constructor({ devices }: Config) {
    this.#armed = devices.map(() => []);
  }

  follow(operation: Operation, outcome: Outcome): readonly Event[] {
    if (isGuestOperation(operation) || isMdevOperation(operation)) return [];
    switch (operation.kind) {
      case 'device.raise':
        return [{ kind: 'raised', device: operation.device, vector: operation.vector, window: null }];
      case 'device.arm':
        this.#armed[operation.device]?.push({ vector: operation.vector, window: operation.window });
        return [];
      case 'vfio.open':
      case 'vfio.close':
      case 'vfio.getIrqInfo':
      case 'vfio.setIrqs':
      case 'vfio.reset':
      case 'vfio.configWrite':
      case 'vfio.configRead':
      case 'vfio.tableRead':
      case 'vfio.tableWrite':
      case 'vfio.pbaRead':
      case 'vfio.mapBar':
      case 'vfio.unmapBar':
        return this.#release(operation.device, openedWindow(operation, outcome));
      case 'vfio.writeEventfd':
      case 'vfio.closeEventfd':
      case 'device.assertIntx':
      case 'device.deassertIntx':
      case 'device.wipe':
      case 'host.limitVectors':
      case 'host.failAllocation':
        return [];
    }
  }

  #release(device: number, open: Window | null): readonly Event[] {
    const armed = this.#armed[device]?.splice(0) ?? [];
    return armed.map(({ vector, window }) => ({
      kind: 'raised',
      device,
      vector,
      window: window === open ? open : null,
    }));
  }
}

/** The window that a call has opened: the tear-down of MSI-X or MSI has returned, nothing has been called since. */
function openedWindow(operation: Operation, outcome: Outcome): Window | null {
  const tornDown =
    operation.kind === 'vfio.setIrqs' &&
    (operation.index === VFIO_PCI_MSIX_IRQ_INDEX || operation.index === VFIO_PCI_MSI_IRQ_INDEX) &&
    (operation.flags & VFIO_IRQ_SET_DATA_NONE) !== 0 &&
    operation.count === 0 &&
    outcome.kind === 'ok';
  return tornDown ? 'teardown-gap' : null;
}
