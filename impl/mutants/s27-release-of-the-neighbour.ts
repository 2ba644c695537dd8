import type { Outcome } from '#vocabulary';
import { NONE } from '../optimised/ims-table.ts';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import { placeOf, vectorOf } from '../optimised/mdev-vectors.ts';
import { OK } from '../optimised/outcomes.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** The handle that was meant stays. */
class ReleaseOfTheNeighbour extends MdevMachine {
  protected override releaseHandle(mdev: number, operand: number): Outcome {
    const vector = this.traits.releaseBy === 'handle' ? this.vectorTold(mdev, operand) : NONE;
    if (vector === NONE || placeOf(vector) < 2) return super.releaseHandle(mdev, operand);
    const before = vectorOf(mdev, placeOf(vector) - 1);
    const told = this.vectors.told(before);
    this.vectors.setTold(before, NONE);
    if (told !== NONE && told === this.vectors.entry(before)) this.revokeHandle(before, told);
    return OK;
  }
}

export const s27: Mutant = {
  id: 'S27',
  title: 'a handle that is released is looked for in slots that are shifted by one: that of the vector before it goes',
  provenance: {
    system: 'idxd series',
    versions: '2020 and 2021',
    evidence: 'the release command searches an array of the IMS vectors with the numbers of all vectors',
  },
  invariant: 'pasid-isolation',
  tier: 'E',
  trap: 'two vectors with handles, of which one is released',
  shortest: {
    profile: 'idxd-mdev-immediate',
    ...TWO_VMS,
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 2+1 [e2]', 'guest.requestHandle 2', 'guest.releaseHandle 0'],
  },
  mdevs: () => new ReleaseOfTheNeighbour(),
};
