import type { Config, Operation, Outcome } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import { placeOf } from '../optimised/mdev-vectors.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** In between the entry carries what it carried before. */
class PasidAfterRequest extends MdevMachine {
  /** Vectors whose PASID is still to be written. */
  #late: number[] = [];
  #isFirst = false;

  protected override start(config: Config): void {
    this.#late = [];
    super.start(config);
  }

  protected override answer(operation: Operation): Outcome {
    const late = this.#late;
    this.#late = [];
    for (const vector of late) if (this.hasTrigger(vector) && placeOf(vector) !== 0) this.resync(vector);
    return super.answer(operation);
  }

  protected override setVector(vector: number, slot: number): Outcome {
    this.#isFirst = !this.hasTrigger(vector);
    const outcome = super.setVector(vector, slot);
    this.#isFirst = false;
    return outcome;
  }

  protected override adopt(vector: number, entry: number, pasid: number): void {
    if (!this.#isFirst) super.adopt(vector, entry, pasid);
    else this.#late.push(vector);
  }
}

export const m13: Mutant = {
  id: 'M13',
  title: 'the PASID of a vector reaches its entry after the irq was requested, one operation later',
  provenance: {
    system: 'idxd host driver',
    versions: 'before 5.14',
    evidence: 'd5c10e0fc864 (fix setup sequence for MSIXPERM table)',
  },
  invariant: 'pasid-isolation',
  tier: 'E',
  trap: 'something between the request of an irq and the write of its PASID',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]'],
  },
  mdevs: () => new PasidAfterRequest(),
};
