import { ALLOCATED, type EventfdName, eventfdUse, type Operation, type VmmCall, vmmEventfd } from '#vocabulary';
import { VectorSet } from './by-vector.ts';
import type { GuestMoment, GuestView } from './guest-moment.ts';
import { type Breach, type GuestWatch, ofEachGuest } from './invariant.ts';
import { flags, type Memory, remembering, type Words } from './memory.ts';
import { isShort } from './refusals.ts';

/**
 * What a VMM takes for MSI-X it gives back when its guest disables it: KVM has no eventfd of a vector any more, and the
 * host no vector. A host that nobody has limited has enough for that again and again.
 * Source: vfio_msix_disable, vfio_remove_kvm_msi_virq, QEMU 7.2 and 10.0; vfio_msi_disable, Linux 6.1 and 6.12.
 */
export function watchVmmLeaks(): GuestWatch {
  return remembering(
    () => new Taken(),
    (moment: GuestMoment, taken): readonly Breach[] =>
      ofEachGuest(moment, (view) => {
        const own = taken.of(view.place);
        own.follow(view, moment.operation);
        return own.leaked(view) ?? (own.isLimited ? null : usedUp(view));
      }),
  );
}

const NO_CALLS: readonly VmmCall[] = [];

/** What the VMM has of one device. */
export class Taken implements Memory<Taken> {
  /** Whether anybody has taken vectors from the host. */
  isLimited = false;
  /** Eventfds of vectors whose signals KVM takes. Those of INTx were there before, and are no vector's. */
  readonly irqfds = new Set<EventfdName>();
  readonly allocated = new VectorSet();
  /** What KVM was to let go of in this step and did not have. */
  releasedTwice: EventfdName | null = null;
  place = 0;

  become(other: Taken): void {
    this.isLimited = other.isLimited;
    if (this.irqfds.size > 0) this.irqfds.clear();
    if (other.irqfds.size > 0) for (const eventfd of other.irqfds) this.irqfds.add(eventfd);
    this.allocated.become(other.allocated);
  }

  tell(words: Words): void {
    words.put(flags(this.isLimited));
  }

  tellVector(vector: number, words: Words): void {
    words.put(flags(this.allocated.has(vector), this.#has('irqfd', vector), this.#has('interrupt', vector)));
  }

  #has(role: 'irqfd' | 'interrupt', vector: number): boolean {
    return this.irqfds.size > 0 && this.irqfds.has(vmmEventfd(this.place, role, vector));
  }

  follow(view: GuestView, operation: Operation): void {
    this.place = view.place;
    this.releasedTwice = null;
    if (operation.kind === 'host.limitVectors' || operation.kind === 'host.failAllocation') this.isLimited = true;
    for (const call of view.calls ?? NO_CALLS) {
      if (call.kind !== 'kvm.irqfd' || eventfdUse(call.eventfd).role === 'intx') continue;
      if (call.assign) this.irqfds.add(call.eventfd);
      else if (!this.irqfds.delete(call.eventfd)) this.releasedTwice = call.eventfd;
    }
    for (const vector of view.changed) {
      if ((view.stateAfter(vector) & ALLOCATED) !== 0) this.allocated.add(vector);
      else this.allocated.delete(vector);
    }
  }

  leaked({ gatesBefore, gates }: GuestView): string | null {
    if (this.releasedTwice !== null) return `KVM was told to let go of ${this.releasedTwice}, which it did not have`;
    if (gates.enable || !gatesBefore.enable) return null;
    if (this.allocated.size > 0) return `the guest has disabled MSI-X and ${this.allocated.size} vectors are allocated`;
    if (this.irqfds.size === 0) return null;
    return `the guest has disabled MSI-X and KVM still has ${[...this.irqfds].join(' ')}`;
  }
}

function usedUp({ setCalls }: GuestView): string | null {
  return isShort(setCalls) ? 'the host had too few vectors, and nothing was short' : null;
}
