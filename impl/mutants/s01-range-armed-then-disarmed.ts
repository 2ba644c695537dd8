import type { DataElement, Outcome } from '#vocabulary';
import type { Device } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';

/** Nobody looks at the end of a range before it is gone through. */
class RangeArmedThenDisarmed extends OptimisedMachine {
  protected override msiSetBlock(device: Device, start: number, count: number, data: readonly DataElement[]): Outcome {
    const { host } = this;
    this.host = { ...host, rangeCheck: 'vector-by-vector' };
    const outcome = super.msiSetBlock(device, start, count, data);
    this.host = host;
    return outcome;
  }
}

export const s01: Mutant = {
  id: 'S01',
  title:
    'a range that ends beyond the allocation of a NORESIZE index arms its valid vectors anew and then disarms them',
  provenance: {
    system: 'Linux vfio-pci',
    versions: 'since 6.5',
    evidence: '63972f63a63f (Remove interrupt context counter) says so; refused up front before',
  },
  invariant: 'noresize-error-unchanged',
  tier: 'E',
  trap: 'a range that crosses the end of what is allocated',
  shortest: {
    profile: 'linux-6.1',
    devices: [{ msixVectors: 2, whileOff: 'latches' }],
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [e0 e0]'],
  },
  machine: () => new RangeArmedThenDisarmed(),
};
