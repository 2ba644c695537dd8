import type { Line } from './mdev-script.ts';

export const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
export const MSIX_OFF = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';
export const MSIX_OFF_B = `${MSIX_OFF} @1`;

/** Sets up all two vectors of A, and of B. The vectors are masked until the guest unmasks them. */
export const ARM_A = `${SET} 0+2 [e0 e1]`;
export const ARM_B = `${SET} 0+2 [e10 e11] @1`;
/** Gives vector 1 of A, and nothing else, a trigger, takes it away, and gives it another. */
export const ARM_1 = `${SET} 1+1 [e1]`;
export const DISARM_1 = `${SET} 1+1 [-1]`;
export const SWAP_1 = `${SET} 1+1 [e2]`;

/** How a guest submits: to the dedicated queue, or to the shared one with a guest PASID. */
export type Queue = 'dedicated' | number;

function submit(descriptor: number, queue: Queue, handle: number, device: number): string {
  const kind = queue === 'dedicated' ? 'dedicated 0' : `shared ${queue}`;
  return `guest.submit ${descriptor} ${kind} handle=${handle}${at(device)}`;
}

function at(device: number): string {
  return device === 0 ? '' : ` @${device}`;
}

/** A descriptor that is queued. */
export function queued(descriptor: number, queue: Queue, handle: number, device = 0): Line {
  return [submit(descriptor, queue, handle, device)];
}

/** A descriptor that has passed the check of handle and PASID. */
export function started(descriptor: number, queue: Queue, handle: number, device = 0): readonly Line[] {
  return [queued(descriptor, queue, handle, device), [`device.start ${descriptor}`]];
}

/** A descriptor that runs to its end; `signal` is what comes of it, such as `e1 +1`. Nothing when left out. */
export function ends(descriptor: number, queue: Queue, handle: number, signal?: string, device = 0): readonly Line[] {
  const done = `ok, descriptor ${descriptor}${at(device)} done`;
  return [
    ...started(descriptor, queue, handle, device),
    [`device.complete ${descriptor}`, signal === undefined ? done : `${done}, ${signal}`],
  ];
}

/** A descriptor that the hardware refuses; the guest learns by which of its own PASIDs. */
export function refused(
  descriptor: number,
  queue: Queue,
  handle: number,
  signal?: string,
  device = 0,
): readonly Line[] {
  const answer = refusal(descriptor, queue, device);
  return [
    queued(descriptor, queue, handle, device),
    [`device.start ${descriptor}`, signal === undefined ? answer : `${answer}, ${signal}`],
  ];
}

/** The answer to the start of a descriptor that is refused. */
export function refusal(descriptor: number, queue: Queue, device = 0): string {
  const pasid = queue === 'dedicated' ? 0 : queue;
  return `ok, descriptor ${descriptor}${at(device)} refused 0x19, SWERROR pasid ${pasid}${at(device)}`;
}
