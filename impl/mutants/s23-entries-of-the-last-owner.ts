import { UNMASKED } from '#vocabulary';
import { type Device, MESSAGE } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { letsGo } from './traps.ts';

/** Entries are masked for whom they are allocated, and not for whom they were. */
class EntriesOfTheLastOwner extends OptimisedMachine {
  #closes = false;

  protected override closeDevice(device: Device): void {
    this.#closes = true;
    super.closeDevice(device);
    this.#closes = false;
  }

  protected override freeIrq(device: Device, vector: number): void {
    super.freeIrq(device, vector);
    if (this.#closes && device.msixEnable) device.set(vector, UNMASKED | MESSAGE);
  }

  protected override allocateMsixIrq(device: Device, vector: number): void {
    device.clear(vector, UNMASKED);
    super.allocateMsixIrq(device, vector);
  }

  /** The vector of the host that an old message names is now that of the first that is armed. */
  protected override handleEdgeIrq(device: Device, vector: number): void {
    const isOld = device.msixEnable && !device.isAllocated(vector);
    super.handleEdgeIrq(device, isOld ? firstArmed(device) : vector);
  }
}

/** A vector that nobody has armed keeps what comes to itself. */
function firstArmed(device: Device): number {
  const { allocated } = device;
  for (let vector = allocated.next(0); vector !== -1; vector = allocated.next(vector + 1))
    if (device.isArmed(vector)) return vector;
  return 0;
}

export const s23: Mutant = {
  id: 'S23',
  title: 'entries that the last owner had unmasked stay so beside a smaller allocation of the next, and fire',
  provenance: {
    system: 'Linux PCI/MSI',
    versions: 'up to 5.13',
    evidence: '7d5ec3d36123, found with crash kernels; here the next owner opens the device',
  },
  invariant: 'no-spurious-interrupt',
  tier: 'M',
  trap: 'a device that is opened again with fewer vectors',
  hasTrap: letsGo,
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 2, whileOff: 'latches' }],
    operations: [
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e0]',
      'vfio.close',
      'vfio.open',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]',
      'device.raise 1',
    ],
  },
  machine: () => new EntriesOfTheLastOwner(),
};
