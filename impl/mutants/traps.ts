import {
  isEventfdName,
  type Operation,
  type Scenario,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_PCI_ERR_IRQ_INDEX,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';

// What a scenario must have for a mutant to do anything wrong, where that is seen from its operations alone.

type Trap = (scenario: Scenario) => boolean;

const some =
  (isTrap: (operation: Operation) => boolean): Trap =>
  ({ operations }) =>
    operations.some(isTrap);

const someCall = (isTrap: (call: VfioSetIrqs) => boolean): Trap =>
  some((operation) => operation.kind === 'vfio.setIrqs' && isTrap(operation));

/** The host is made to refuse something. */
export const hostRefuses: Trap = some(({ kind }) => kind.startsWith('host.'));

/** An allocation of the host fails. */
export const allocationFails: Trap = some(({ kind }) => kind === 'host.failAllocation');

/** The device raises at an inner step. */
export const raisesInTheGap: Trap = some(
  (operation) => operation.kind === 'device.arm' && operation.window === 'teardown-gap',
);

/** The guest may turn MSI-X off. */
export const turnsOff: Trap = some(
  (operation) =>
    operation.kind === 'guest.configWrite' ||
    operation.kind === 'guest.reset' ||
    (operation.kind === 'guest.msixControl' && !operation.enable),
);

/** The guest may set Function Mask. */
export const masksFunction: Trap = some(
  (operation) =>
    operation.kind === 'guest.configWrite' || (operation.kind === 'guest.msixControl' && operation.functionMask),
);

/** The guest writes bytes of its table. */
export const writesTable: Trap = some(({ kind }) => kind === 'guest.tableWrite');

/** The guest resets its device. */
export const resetsGuest: Trap = some(({ kind }) => kind === 'guest.reset');

/** The user may let go of a device. */
export const letsGo: Trap = some(({ kind }) => kind === 'vfio.close' || kind === 'vfio.unmapBar');

/** Eventfds for a range that does not begin at 0. */
export const beginsLater: Trap = someCall(({ flags, start }) => (flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0 && start > 0);

/** A range whose end has more than 32 bits. */
export const wraps: Trap = someCall(({ start, count }) => start + count > 0xffffffff);

/** A loopback, or anything else without eventfds. */
export const loopsBack: Trap = someCall(({ flags }) => (flags & VFIO_IRQ_SET_DATA_EVENTFD) === 0);

/** A descriptor that cannot be used. */
export const hasBadDescriptor: Trap = someCall(({ data }) =>
  data.some((element) => !isEventfdName(element) && element !== -1),
);

export const speaksOfIntx: Trap = someCall(({ index }) => index === VFIO_PCI_INTX_IRQ_INDEX);

export const speaksOfReqOrErr: Trap = someCall(
  ({ index }) => index === VFIO_PCI_REQ_IRQ_INDEX || index === VFIO_PCI_ERR_IRQ_INDEX,
);

/** A table of more vectors than this. */
export const hasMoreThan =
  (vectors: number): Trap =>
  ({ config }) =>
    config.devices.some(({ msixVectors }) => msixVectors > vectors);

/** Any of several. */
export const anyOf =
  (...traps: readonly Trap[]): Trap =>
  (scenario) =>
    traps.some((trap) => trap(scenario));
