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

/** Names that were made, by number: most are asked for again and again. */
const NAMES = new Map<number, EventfdName>();

/** The name of the eventfd that a VMM uses for something. One that is closed and made again has its name again. */
export function vmmEventfd(device: number, role: EventfdRole, vector = 0): EventfdName {
  const number = device * DEVICE_EVENTFDS + placeOf(role, vector);
  const known = NAMES.get(number);
  if (known !== undefined) return known;
  const name: EventfdName = `e${number}`;
  NAMES.set(number, name);
  return name;
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

/** What a VMM uses an eventfd for, and of which device. */
export interface EventfdUse {
  readonly device: number;
  readonly role: EventfdRole;
  /** 0 where it is of no vector. */
  readonly vector: number;
}

const USES = new Map<EventfdName, EventfdUse>();

/** What `vmmEventfd` made a name of. */
export function eventfdUse(name: EventfdName): EventfdUse {
  const known = USES.get(name);
  if (known !== undefined) return known;
  const use = useOf(name);
  USES.set(name, use);
  return use;
}

function useOf(name: EventfdName): EventfdUse {
  const number = Number(name.slice(1));
  const device = Math.floor(number / DEVICE_EVENTFDS);
  const place = number % DEVICE_EVENTFDS;
  if (place === INTX) return { device, role: 'intx', vector: 0 };
  if (place === RESAMPLE) return { device, role: 'resample', vector: 0 };
  return place < IRQFD
    ? { device, role: 'interrupt', vector: place }
    : { device, role: 'irqfd', vector: place - IRQFD };
}
