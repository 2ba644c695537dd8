import { type Outcome, UNMASKED, type VfioSetIrqs } from '#vocabulary';
import type { Device } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';

/** Only an entry that is unmasked while MSI-X is on already is asked for what is pending. */
class EnableReplaysNothing extends OptimisedMachine {
  #turnsOn = false;

  protected override turnOn(device: Device, operation: VfioSetIrqs): Outcome {
    this.#turnsOn = true;
    const outcome = super.turnOn(device, operation);
    this.#turnsOn = false;
    return outcome;
  }

  protected override unmaskEntry(device: Device, vector: number): void {
    if (this.#turnsOn) device.set(vector, UNMASKED);
    else super.unmaskEntry(device, vector);
  }
}

export const s14: Mutant = {
  id: 'S14',
  title: 'what is pending is not replayed when turning MSI-X on is what opens the last gate, and stays for ever',
  provenance: {
    system: 'Cloud Hypervisor; Firecracker',
    versions: 'live when they were read',
    evidence: 'run against the msix code of the first, read in that of the second; here it is the function itself',
  },
  invariant: 'no-lost-interrupt',
  tier: 'M',
  trap: 'an event that is latched while MSI-X is off',
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['device.raise 0', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]'],
  },
  machine: () => new EnableReplaysNothing(),
};
