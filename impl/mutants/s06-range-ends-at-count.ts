import type { DataElement, Outcome } from '#vocabulary';
import type { Device } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { beginsLater } from './traps.ts';

/** The vectors from `start` to `count`. */
class RangeEndsAtCount extends OptimisedMachine {
  protected override msiSetBlock(device: Device, start: number, count: number, data: readonly DataElement[]): Outcome {
    return super.msiSetBlock(device, start, Math.max(0, count - start), data);
  }
}

export const s06: Mutant = {
  id: 'S06',
  title: 'the loop over a range ends at count instead of start + count: vectors behind that are left as they are',
  provenance: {
    system: 'an idxd driver with mediated devices; libvfio-user; Cloud Hypervisor',
    versions: '2020; since 052d709 (2021), live when it was read; 2020',
    evidence: 'read (mdev_msix_set_vector_signals); run against efd091b; d34f31fe7',
  },
  invariant: 'no-lost-interrupt',
  tier: 'E',
  trap: 'a range that does not begin at 0',
  hasTrap: beginsLater,
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 2, whileOff: 'latches' }],
    operations: [
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [e0 e0]',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]',
      'device.raise 1',
    ],
  },
  machine: () => new RangeEndsAtCount(),
};
