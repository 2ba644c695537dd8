import type { Window } from '#vocabulary';
import type { Device } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { raisesInTheGap } from './traps.ts';

/** Between a tear-down and the next call nobody keeps an event, whatever the function does at other times. */
class EventInTheGapDropped extends OptimisedMachine {
  protected override raise(device: Device, vector: number, window: Window | null): void {
    if (window === 'teardown-gap') this.traces.raised(device.place, vector, window);
    else super.raise(device, vector, window);
  }
}

export const s10: Mutant = {
  id: 'S10',
  title: 'an event between tear-down and re-enable is dropped, though the function keeps events while it is off',
  provenance: {
    system: 'all VMMs that grow by tear-down; DPDK',
    versions: 'all; 18.11 to 19.08',
    evidence:
      'the VFIO MSI-X virtualization mail of 2021; 89aac60e0b, reverted by 33543fb3b6, a159730c2f. Of functions ' +
      'that drop events this is known and expected, so here one that latches does it',
  },
  invariant: 'no-lost-interrupt',
  tier: 'M',
  trap: 'an event at an inner step',
  hasTrap: raisesInTheGap,
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: [
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]',
      'device.arm 0 teardown-gap',
      'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]',
    ],
  },
  machine: () => new EventInTheGapDropped(),
};
