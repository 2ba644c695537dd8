import { ARMED, type Config, type Outcome, type VfioSetIrqs } from '#vocabulary';
import type { Device } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { anyOf, hostRefuses, loopsBack } from './traps.ts';

/** A vector without a trigger still points to the one that it had. */
class DisarmKeepsThePointer extends OptimisedMachine {
  readonly #pointers = new Map<Device, Set<number>>();

  protected override start(config: Config): void {
    super.start(config);
    this.#pointers.clear();
  }

  protected override msiSetVectorSignal(device: Device, vector: number, descriptor: number): Outcome {
    const pointers = this.#pointers.get(device) ?? new Set();
    this.#pointers.set(device, pointers);
    if (device.isArmed(vector)) pointers.add(vector);
    // What was released is released again.
    else if (pointers.has(vector)) this.freeVectors += 1;
    const outcome = super.msiSetVectorSignal(device, vector, descriptor);
    if (device.isArmed(vector)) pointers.delete(vector);
    return outcome;
  }

  protected override msiDisable(device: Device): void {
    super.msiDisable(device);
    this.#pointers.delete(device);
  }

  /** The pointer is what a loopback looks at. */
  protected override loopback(device: Device, operation: VfioSetIrqs): Outcome {
    const pointers = this.#pointers.get(device) ?? [];
    for (const vector of pointers) device.set(vector, ARMED);
    const outcome = super.loopback(device, operation);
    for (const vector of pointers) device.clear(vector, ARMED);
    return outcome;
  }
}

export const s21: Mutant = {
  id: 'S21',
  title: 'disarming a vector keeps the pointer to its trigger: it is released twice, and a loopback still signals it',
  provenance: {
    system: 'an idxd driver with mediated devices; the mtty sample of Linux',
    versions: '2023; 6.1.192',
    evidence: 'read in the source of both',
  },
  invariant: 'no-spurious-interrupt',
  tier: 'E',
  trap: 'a loopback after a disarm',
  hasTrap: anyOf(loopsBack, hostRefuses),
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: [
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [-1]',
      'vfio.setIrqs MSIX NONE|TRIGGER 0+1 []',
    ],
  },
  machine: () => new DisarmKeepsThePointer(),
};
