import type { DataElement, Outcome } from '#vocabulary';
import type { Device } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { anyOf, hasBadDescriptor, hostRefuses } from './traps.ts';

/** What a failure undoes is the range, however far it had got. */
class FailureUndoesTheRange extends OptimisedMachine {
  #last = 0;

  protected override msiSetBlock(device: Device, start: number, count: number, data: readonly DataElement[]): Outcome {
    this.#last = start + count - 1;
    return super.msiSetBlock(device, start, count, data);
  }

  protected override unwindBlock(device: Device, start: number, _failed: number): void {
    super.unwindBlock(device, start, this.#last);
  }
}

export const s08: Mutant = {
  id: 'S08',
  title: 'a bad descriptor in a range disarms vectors that were armed before the call, also those behind it',
  provenance: {
    system: 'Linux vfio-pci, one step further',
    versions: 'all',
    evidence:
      'vfio_msi_set_block; Linux disarms up to the vector that failed, which is the documented state here, so this ' +
      'goes on to the end of the range',
  },
  invariant: 'error-state-documented',
  tier: 'E',
  trap: 'a bad descriptor before the last place of an armed range',
  hasTrap: anyOf(hasBadDescriptor, hostRefuses),
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 2, whileOff: 'latches' }],
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [e0 e0]', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [bad e0]'],
  },
  machine: () => new FailureUndoesTheRange(),
};
