import { ALLOCATED, type EventfdName, eventfdUse, type VmmCall } from '#vocabulary';
import type { GuestView } from './guest-moment.ts';
import { type Breach, type GuestWatch, ofEachGuest } from './invariant.ts';
import { setCalls } from './refusals.ts';

/**
 * What a VMM takes for MSI-X it gives back when its guest disables it: KVM has no eventfd of a vector any more, and the
 * host no vector. A host that nobody has limited has enough for that again and again.
 * Source: vfio_msix_disable, vfio_remove_kvm_msi_virq, QEMU 7.2 and 10.0; vfio_msi_disable, Linux 6.1 and 6.12.
 */
export function watchVmmLeaks(): GuestWatch {
  const taken = new Map<number, Taken>();
  let isLimited = false;
  return (moment): readonly Breach[] => {
    const { operation } = moment;
    if (operation.kind === 'host.limitVectors' || operation.kind === 'host.failAllocation') isLimited = true;
    return ofEachGuest(moment, (view) => {
      const own = taken.get(view.place) ?? new Taken();
      taken.set(view.place, own);
      own.follow(view);
      return own.leaked(view) ?? (isLimited ? null : usedUp(view));
    });
  };
}

const NO_CALLS: readonly VmmCall[] = [];

/** What the VMM has of one device. */
class Taken {
  /** Eventfds of vectors whose signals KVM takes. Those of INTx were there before, and are no vector's. */
  readonly #irqfds = new Set<EventfdName>();
  readonly #allocated = new Set<number>();
  /** What KVM was to let go of in this step and did not have. */
  #releasedTwice: EventfdName | null = null;

  follow(view: GuestView): void {
    this.#releasedTwice = null;
    for (const call of view.calls ?? NO_CALLS) {
      if (call.kind !== 'kvm.irqfd' || eventfdUse(call.eventfd).role === 'intx') continue;
      if (call.assign) this.#irqfds.add(call.eventfd);
      else if (!this.#irqfds.delete(call.eventfd)) this.#releasedTwice = call.eventfd;
    }
    for (const vector of view.changed) {
      if ((view.stateAfter(vector) & ALLOCATED) !== 0) this.#allocated.add(vector);
      else this.#allocated.delete(vector);
    }
  }

  leaked({ gatesBefore, gates }: GuestView): string | null {
    if (this.#releasedTwice !== null) return `KVM was told to let go of ${this.#releasedTwice}, which it did not have`;
    if (gates.enable || !gatesBefore.enable) return null;
    if (this.#allocated.size > 0)
      return `the guest has disabled MSI-X and ${this.#allocated.size} vectors are allocated`;
    if (this.#irqfds.size === 0) return null;
    return `the guest has disabled MSI-X and KVM still has ${[...this.#irqfds].join(' ')}`;
  }
}

function usedUp({ calls }: GuestView): string | null {
  if (calls === undefined || calls.length === 0) return null;
  const isShort = setCalls(calls).some(({ answer }) => answer === 'shortage');
  return isShort ? 'the host had too few vectors, and nothing was short' : null;
}
