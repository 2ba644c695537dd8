import {
  type DeviceObservation,
  type GuestObservation,
  HarnessError,
  type Observation,
  type VectorChange,
} from '#vocabulary';
import type { Sight } from './guest.ts';

type Physical = Omit<DeviceObservation, 'changes' | 'guest'>;

/**
 * Puts together what is observed after a step of a scenario: of the kernel, which tells changes after each call that
 * QEMU made in the step, and of the guest, which is looked at once.
 */
export class Observer {
  #physical: Physical = { enable: false, functionMask: false, msixInfoFlags: 0, registers: 0 };
  readonly #vectors = new Reported();
  readonly #guestVectors = new Reported();

  /** Takes what the kernel has told; it counts from the next `observe` on. */
  take(observation: Observation): void {
    const [device] = observation;
    if (device === undefined) throw new HarnessError('the kernel observed no device');
    const { enable, functionMask, msixInfoFlags, registers, changes } = device;
    this.#physical = { enable, functionMask, msixInfoFlags, registers };
    for (const { vector, state } of changes) this.#vectors.now(vector, state);
  }

  observe(sight: Sight): Observation {
    for (const [vector, state] of sight.states.entries()) this.#guestVectors.now(vector, state);
    const { enable, functionMask } = sight;
    const guest: GuestObservation = { enable, functionMask, changes: this.#guestVectors.changes() };
    return [{ ...this.#physical, changes: this.#vectors.changes(), guest }];
  }
}

/** States of vectors, with what was last said of each. */
class Reported {
  readonly #states = new Map<number, { said: number; state: number }>();
  readonly #touched = new Set<number>();

  now(vector: number, state: number): void {
    const known = this.#states.get(vector);
    if (known === undefined) {
      if (state === 0) return;
      this.#states.set(vector, { said: 0, state });
    } else if (known.state === state) return;
    else known.state = state;
    this.#touched.add(vector);
  }

  changes(): VectorChange[] {
    const changes: VectorChange[] = [];
    for (const vector of this.#touched) {
      const known = this.#states.get(vector);
      if (known === undefined || known.said === known.state) continue;
      known.said = known.state;
      changes.push({ vector, state: known.state });
    }
    this.#touched.clear();
    return changes.sort((left, right) => left.vector - right.vector);
  }
}
