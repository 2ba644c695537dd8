import type { Outcome } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** The trigger alone is replaced. */
class SwapKeepsPasid extends MdevMachine {
  #isSwap = false;

  protected override setVector(vector: number, slot: number): Outcome {
    this.#isSwap = this.hasTrigger(vector);
    const outcome = super.setVector(vector, slot);
    this.#isSwap = false;
    return outcome;
  }

  protected override adopt(vector: number, entry: number, pasid: number): void {
    if (!this.#isSwap) super.adopt(vector, entry, pasid);
  }
}

export const m17: Mutant = {
  id: 'M17',
  title: 'a vector that gets another eventfd keeps its PASID, whatever MSIX_PERM says by then',
  provenance: {
    system: 'idxd drivers with vSVM',
    versions: '2021 to 2023',
    evidence: 'the swap path of msix_set_vector_signal does not read MSIX_PERM',
  },
  invariant: 'pasid-isolation',
  tier: 'M',
  trap: 'MSIX_PERM written between two triggers of a vector',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: [
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]',
      'guest.bindPasid 3',
      'guest.msixPerm 1 on 3',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e2]',
    ],
  },
  mdevs: () => new SwapKeepsPasid(),
};
