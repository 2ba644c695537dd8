import type { Observation, VectorChange } from '#vocabulary';
import { ENABLE, FUNCTION_MASK, type Sight } from '../qemu/guest.ts';
import type { PhysicalSight } from './outer.ts';

/** Puts together what is observed after a step: of the hardware by the agent, and of the guest. */
export class Observer {
  readonly #vectors = new Reported();
  readonly #guestVectors = new Reported();

  observe({ messageControl, registers, states }: PhysicalSight, guest: Sight, msixInfoFlags: number): Observation {
    return [
      {
        enable: (messageControl & ENABLE) !== 0,
        functionMask: (messageControl & FUNCTION_MASK) !== 0,
        msixInfoFlags,
        registers,
        changes: this.#vectors.changes(states),
        guest: {
          enable: guest.enable,
          functionMask: guest.functionMask,
          changes: this.#guestVectors.changes(guest.states),
        },
      },
    ];
  }
}

/** What was last said of each vector. */
class Reported {
  readonly #said: number[] = [];

  changes(states: Iterable<number>): VectorChange[] {
    return [...states].flatMap((state, vector) => {
      if ((this.#said[vector] ?? 0) === state) return [];
      this.#said[vector] = state;
      return [{ vector, state }];
    });
  }
}
