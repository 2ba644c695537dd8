import type { Platform } from '#vocabulary';

/** In what state a function passed through is, as the user of vfio has it. */
const HOST_CLASSES = [
  /** No descriptor of the device is open. */
  'closed',
  /** Its interrupt handler is registered. */
  'INTx on',
  'MSI on',
  'MSI-X off',
  /** A pending bit is set. */
  'MSI-X off, pending',
  /** A limit or a failure of the host is in force. */
  'MSI-X off, host short',
  'MSI-X on, none armed',
  'MSI-X on, some armed',
  'MSI-X on, all armed',
  'MSI-X on, pending',
  'MSI-X on, host short',
] as const;

/** In what state a function is that a VMM shows, as the guest has it. */
const GUEST_CLASSES = [
  'MSI-X off, all masked',
  'MSI-X off, some unmasked',
  'MSI-X off, host short',
  'MSI-X on, function-masked',
  /** The guest has unmasked a vector that has no trigger on the host. */
  'MSI-X on, unmasked without trigger',
  'MSI-X on, pending',
  'MSI-X on, host short',
  'MSI-X on, all masked',
  'MSI-X on, some unmasked',
] as const;

/** In what state an mdev is. */
const MDEV_CLASSES = [
  'gone',
  'closed',
  /** Closed, and without a default PASID: as made, or as a crash of its VMM leaves it. */
  'closed and detached',
  'detached',
  /** A descriptor of the mdev has passed its check and makes its interrupt later. */
  'descriptor past its check',
  'descriptor queued',
  /** A PASID of its VM was given back while something still refers to it. */
  'PASID free-pending',
  /** An entry of the mdev keeps an interrupt. */
  'entry pending',
  'MSI-X off, entries left',
  'MSI-X off, no entry left',
  'MSI-X on, entries left',
  'MSI-X on, no entry left',
] as const;

/** In what state a device is before an operation, as far as that decides what comes of it. */
export type StateClass = (typeof HOST_CLASSES)[number] | (typeof GUEST_CLASSES)[number] | (typeof MDEV_CLASSES)[number];

/** Every class there is, each once. */
export const STATE_CLASSES: readonly StateClass[] = [...new Set([...HOST_CLASSES, ...GUEST_CLASSES, ...MDEV_CLASSES])];

/**
 * The classes of the devices of a platform. Who adds vectors in which way is not among them: it is the platform's own
 * affair, and the same in all of its scenarios.
 */
export function classesOf({ mdev, vmm }: Pick<Platform, 'mdev' | 'vmm'>): readonly StateClass[] {
  if (mdev !== undefined) return vmm === undefined ? MDEV_CLASSES : MDEV_CLASSES.filter((name) => !OWNERLESS.has(name));
  return vmm === undefined ? HOST_CLASSES : GUEST_CLASSES;
}

/** A VMM holds its mdevs from beginning to end. */
const OWNERLESS: ReadonlySet<StateClass> = new Set(['gone', 'closed', 'closed and detached', 'detached']);
