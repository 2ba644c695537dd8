import type { DataElement, EventfdName, Outcome, VfioSetIrqs, VmmCall } from '#vocabulary';
import { OK } from './outcomes.ts';
import { Arena, List, type Mutable } from './pool.ts';

type CallOfVfio = Mutable<Extract<VmmCall, { kind: 'vfio' }>>;
type CallOfIrqfd = Mutable<Extract<VmmCall, { kind: 'kvm.irqfd' }>>;

const SET_GSI_ROUTING: VmmCall = { kind: 'kvm.setGsiRouting' };

/** A VFIO_DEVICE_SET_IRQS of the VMM while it is being written, and then a call of its step. */
export class SetIrqsCall {
  readonly #data = new List<DataElement>();
  readonly operation: Mutable<VfioSetIrqs> = {
    kind: 'vfio.setIrqs',
    device: 0,
    flags: 0,
    index: 0,
    start: 0,
    count: 0,
    data: [],
  };
  readonly call: CallOfVfio = { kind: 'vfio', operation: this.operation, outcome: OK };

  begin(device: number, flags: number, index: number, start: number, count: number): void {
    this.operation.device = device;
    this.operation.flags = flags;
    this.operation.index = index;
    this.operation.start = start;
    this.operation.count = count;
    this.#data.clear();
  }

  push(element: DataElement): void {
    this.#data.push(element);
  }

  /** What is asked; nothing is pushed any more. */
  finish(): VfioSetIrqs {
    this.operation.data = this.#data.view();
    return this.operation;
  }

  answered(outcome: Outcome): void {
    this.call.outcome = outcome;
  }
}

function makeReset(): CallOfVfio {
  return { kind: 'vfio', operation: { kind: 'vfio.reset', device: 0 }, outcome: OK };
}

function makeIrqfd(): CallOfIrqfd {
  return { kind: 'kvm.irqfd', eventfd: 'e0', assign: false };
}

/** The calls of a VMM in objects that were made for earlier scenarios. One is valid until the next `reset`. */
export class CallPool {
  readonly #setIrqs = new Arena(() => new SetIrqsCall());
  readonly #resets = new Arena(makeReset);
  readonly #irqfds = new Arena(makeIrqfd);

  reset(): void {
    this.#setIrqs.reset();
    this.#resets.reset();
    this.#irqfds.reset();
  }

  setIrqs(): SetIrqsCall {
    return this.#setIrqs.next();
  }

  vfioReset(device: number, outcome: Outcome): VmmCall {
    const call = this.#resets.next();
    (call.operation as Mutable<typeof call.operation>).device = device;
    call.outcome = outcome;
    return call;
  }

  setGsiRouting(): VmmCall {
    return SET_GSI_ROUTING;
  }

  irqfd(eventfd: EventfdName, assign: boolean): VmmCall {
    const call = this.#irqfds.next();
    call.eventfd = eventfd;
    call.assign = assign;
    return call;
  }
}
