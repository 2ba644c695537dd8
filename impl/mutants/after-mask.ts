import type { Outcome } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';

/** A driver that does more than it should whenever the guest masks or unmasks a vector. */
export abstract class AfterMask extends MdevMachine {
  protected override maskVector(vector: number): Outcome {
    const outcome = super.maskVector(vector);
    this.afterMask(vector);
    return outcome;
  }

  protected override unmaskVector(vector: number): Outcome {
    const outcome = super.unmaskVector(vector);
    this.afterMask(vector);
    return outcome;
  }

  protected abstract afterMask(vector: number): void;
}
