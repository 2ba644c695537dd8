import type { Config } from '#vocabulary';
import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';

/** A mask takes the route away and leaves the irqfd: KVM reads the event and has nowhere to send it. */
class EventWithoutRouteConsumed extends OptimisedMachine {
  readonly #withoutRoute = new Map<Guest, Set<number>>();

  protected override start(config: Config): void {
    this.#withoutRoute.clear();
    super.start(config);
  }

  protected override enableAll(guest: Guest): void {
    this.#withoutRoute.set(guest, new Set());
    super.enableAll(guest);
  }

  protected override disconnectInterrupt(guest: Guest, vector: number): void {
    super.disconnectInterrupt(guest, vector);
    this.#withoutRoute.get(guest)?.add(vector);
  }

  protected override connectInterrupt(guest: Guest, vector: number): void {
    this.#withoutRoute.get(guest)?.delete(vector);
    super.connectInterrupt(guest, vector);
  }

  protected override eventfdWakeup(guest: Guest, vector: number): void {
    if (this.#withoutRoute.get(guest)?.has(vector) !== true) super.eventfdWakeup(guest, vector);
  }
}

export const s24: Mutant = {
  id: 'S24',
  title: 'masking a vector removes its route, and the hypervisor consumes its events and drops them',
  provenance: {
    system: 'Cloud Hypervisor',
    versions: 'up to 0.5',
    evidence: 'b77fdeba2',
  },
  invariant: 'no-lost-interrupt',
  tier: 'E',
  trap: 'an event while its vector is masked',
  shortest: {
    profile: 'linux-6.1+all-at-enable/irqfd',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['guest.msixControl enable', 'guest.unmask 0', 'guest.mask 0', 'device.raise 0', 'guest.unmask 0'],
  },
  machine: () => new EventWithoutRouteConsumed(),
};
