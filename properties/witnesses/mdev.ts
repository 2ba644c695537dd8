import {
  ABANDONED,
  type Errno,
  INVALID_INTERRUPT_HANDLE,
  MSIX_VECTORS_MAX,
  type Operation,
  type OperationKind,
  VFIO_IRQ_SET_DATA_EVENTFD,
} from '#vocabulary';
import { atOnce, hasEvent, inTurn, isErrno, type Look, type Witness } from './witness.ts';

/** A descriptor names an entry that is another vector's when it is checked. */
function watchHands(): Look {
  const owners = new Map<number, number>();
  const named = new Map<number, { readonly entry: number; readonly owner: number }>();
  return (operation, { outcome, parent }) => {
    const asked = operation.kind === 'device.start' ? named.get(operation.descriptor) : undefined;
    const now = asked === undefined ? undefined : owners.get(asked.entry);
    if (asked !== undefined && outcome.kind === 'ok' && now !== undefined && now !== asked.owner) return true;
    for (const { entry, device, vector } of parent?.entries ?? [])
      if (device === -1) owners.delete(entry);
      else owners.set(entry, device * MSIX_VECTORS_MAX + vector);
    if (operation.kind === 'guest.submit' && outcome.kind === 'ok' && operation.rci !== false) {
      const owner = owners.get(operation.handle);
      if (owner === undefined) named.delete(operation.descriptor);
      else named.set(operation.descriptor, { entry: operation.handle, owner });
    }
    return false;
  };
}

/** A PASID of the host that was one VM's is another's. */
function watchPasids(): Look {
  const before = new Map<number, number>();
  return (_, { parent }) => {
    for (const { pasid, state, vm } of parent?.pasids ?? []) {
      if (state !== 'active') continue;
      const last = before.get(pasid);
      if (last !== undefined && last !== vm) return true;
      before.set(pasid, vm);
    }
    return false;
  };
}

/** Two VMs have bound the same number. */
function watchNumbers(): Look {
  const bound = new Map<number, { readonly vm: number; readonly guest: number }>();
  return (_, { parent }) => {
    for (const { pasid, state, vm, guest } of parent?.pasids ?? []) {
      if (state !== 'active' || guest === 0) bound.delete(pasid);
      else bound.set(pasid, { vm, guest });
      for (const other of bound.values())
        if (other.guest === guest && other.vm !== vm && state === 'active') return true;
    }
    return false;
  };
}

/** So many descriptors are in flight before the step. */
function watchFlights(look: (operation: Operation) => boolean): Look {
  const inFlight = new Set<number>();
  return (operation, { parent }) => {
    if (inFlight.size > 0 && look(operation)) return true;
    for (const { descriptor, phase } of parent?.descriptors ?? [])
      if (phase === 'over') inFlight.delete(descriptor);
      else inFlight.add(descriptor);
    return false;
  };
}

function completes(status: number): Witness['watch'] {
  return atOnce((_, { events }) => {
    for (const event of events) if (event.kind === 'completed' && event.status === status) return true;
    return false;
  });
}

const SET_IRQS: readonly OperationKind[] = ['vfio.setIrqs'];

function answers(errno: Errno, oneIn: number): Witness {
  const watch = atOnce((_, step) => isErrno(step, errno));
  return { name: `SET_IRQS answers ${errno}`, oneIn, needs: SET_IRQS, looksAt: SET_IRQS, watch };
}

function gives(operation: Operation): boolean {
  return operation.kind === 'vfio.setIrqs' && (operation.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0;
}

const SUBMITS: Witness['needs'] = ['guest.submit', 'device.start', 'device.complete'];

type IsPossible = NonNullable<Witness['isPossible']>;

const isDynamic: IsPossible = ({ host }) => host.dynamicMsix;
/** All vectors in one call or none, so that entries change hands all together, and rarely. */
const isStatic: IsPossible = ({ host }) => !host.dynamicMsix;

function changesHands(oneIn: number, isPossible: IsPossible): Witness {
  const name = 'a descriptor checked when the entry it names is in other hands';
  return { name, oneIn, needs: SUBMITS, isPossible, watch: watchHands };
}

function revokes(oneIn: number, isPossible: IsPossible): Witness {
  const watch = atOnce((_, step) => hasEvent(step, 'revoked'));
  return { name: 'handles revoked', oneIn, needs: ['guest.requestHandle'], isPossible, watch };
}

/** What must have come across whoever has mdevs, with a VMM and without. */
const EVERYWHERE: readonly Witness[] = [
  changesHands(250, isDynamic),
  changesHands(600, isStatic),
  revokes(100, isDynamic),
  revokes(360, isStatic),
  {
    name: "a PASID that was one VM's given to another",
    oneIn: 140,
    needs: ['guest.bindPasid'],
    watch: watchPasids,
  },
  { name: 'the same guest PASID in two VMs', oneIn: 40, needs: ['guest.bindPasid'], watch: watchNumbers },
  {
    name: 'a PASID given back while something refers to it',
    oneIn: 160,
    needs: ['guest.freePasid', 'guest.submit'],
    watch: atOnce((_, { parent }) => parent?.pasids.some(({ state }) => state === 'free-pending') === true),
  },
  { name: 'a descriptor refused for its handle', oneIn: 5, needs: SUBMITS, watch: completes(INVALID_INTERRUPT_HANDLE) },
  { name: 'a descriptor abandoned', oneIn: 35, needs: SUBMITS, watch: completes(ABANDONED) },
];

/** What the user of vfio must have come across on an mdev. */
export const MDEV_WITNESSES: readonly Witness[] = [
  ...EVERYWHERE,
  {
    name: 'an interrupt pending across an unmask',
    oneIn: 22,
    needs: ['guest.unmask'],
    looksAt: ['guest.unmask'],
    watch: atOnce((_, step) => hasEvent(step, 'signalled')),
  },
  {
    name: 'a vector refused for want of an entry or an irq, and granted later',
    oneIn: 100,
    needs: SET_IRQS,
    looksAt: SET_IRQS,
    watch: inTurn(
      (operation, step) => gives(operation) && isErrno(step, 'ENOSPC'),
      (operation, { outcome, parent }) =>
        gives(operation) && outcome.kind === 'ok' && (parent?.entries.length ?? 0) > 0,
    ),
  },
  {
    name: 'a VMM that dies while a descriptor is in flight',
    oneIn: 65,
    needs: ['host.crash', 'guest.submit'],
    watch: () => watchFlights(({ kind }) => kind === 'host.crash'),
  },
  {
    name: 'an mdev set up again after a close',
    oneIn: 45,
    needs: ['vfio.close', 'vfio.open'],
    looksAt: ['vfio.close', 'vfio.setIrqs'],
    watch: inTurn(
      ({ kind }, { outcome }) => kind === 'vfio.close' && outcome.kind === 'ok',
      (operation, { outcome }) => gives(operation) && outcome.kind === 'ok',
    ),
  },
  answers('EBADF', 45),
  answers('EINVAL', 11),
  answers('ENOSPC', 15),
];

/** The same where there is a VMM. */
export const MDEV_GUEST_WITNESSES: readonly Witness[] = [
  ...EVERYWHERE,
  {
    name: 'MSI-X turned off by the guest while a descriptor is in flight',
    oneIn: 11,
    needs: ['guest.msixControl', 'guest.submit'],
    watch: () => watchFlights((operation) => operation.kind === 'guest.msixControl' && !operation.enable),
  },
  {
    name: "a descriptor that ends during a guest's operation",
    oneIn: 8,
    needs: ['device.armDescriptor'],
    watch: atOnce(({ kind }, step) => kind.startsWith('guest.') && hasEvent(step, 'completed')),
  },
];
