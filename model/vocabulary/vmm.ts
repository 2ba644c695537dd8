import type { EventfdName, VfioReset, VfioSetIrqs } from './operation.ts';
import type { Outcome } from './response.ts';

/** One thing a VMM asked of the host in reaction to its guest. A reaction is a list of them, in order. */
export type VmmCall =
  | { readonly kind: 'vfio'; readonly operation: VfioSetIrqs | VfioReset; readonly outcome: Outcome }
  /** KVM_SET_GSI_ROUTING: the messages of the vectors that KVM delivers. */
  | { readonly kind: 'kvm.setGsiRouting' }
  /** KVM_IRQFD: from now on KVM, or no longer KVM, takes the signals of an eventfd and delivers them itself. */
  | { readonly kind: 'kvm.irqfd'; readonly eventfd: EventfdName; readonly assign: boolean };

/**
 * What a VMM uses an eventfd for. `interrupt`: a vector's, handled by the VMM itself. `irqfd`: a vector's, taken by
 * KVM. `intx`: of INTx. `resample`: by which KVM tells vfio that the guest is done with INTx.
 */
export type EventfdRole = 'interrupt' | 'irqfd' | 'intx' | 'resample';

const DEVICE_EVENTFDS = 10_000;
const IRQFD = 4_000;
const INTX = 8_000;
const RESAMPLE = 8_001;

/** The name of the eventfd that a VMM uses for something. One that is closed and made again has its name again. */
export function vmmEventfd(device: number, role: EventfdRole, vector = 0): EventfdName {
  return `e${device * DEVICE_EVENTFDS + placeOf(role, vector)}`;
}

function placeOf(role: EventfdRole, vector: number): number {
  switch (role) {
    case 'interrupt':
      return vector;
    case 'irqfd':
      return IRQFD + vector;
    case 'intx':
      return INTX;
    case 'resample':
      return RESAMPLE;
  }
}

/** What `vmmEventfd` made a name of. */
export function eventfdUse(name: EventfdName): { readonly device: number; readonly role: EventfdRole; vector: number } {
  const number = Number(name.slice(1));
  const device = Math.floor(number / DEVICE_EVENTFDS);
  const place = number % DEVICE_EVENTFDS;
  if (place === INTX) return { device, role: 'intx', vector: 0 };
  if (place === RESAMPLE) return { device, role: 'resample', vector: 0 };
  return place < IRQFD
    ? { device, role: 'interrupt', vector: place }
    : { device, role: 'irqfd', vector: place - IRQFD };
}
