import type { Device } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { speaksOfIntx } from './traps.ts';

/** Whoever signals INTx does not see that its trigger was taken away. */
class LoopbackAfterDisarm extends OptimisedMachine {
  protected override intxSetSignal(device: Device, descriptor: number): void {
    if (descriptor >= 0) super.intxSetSignal(device, descriptor);
  }
}

export const s19: Mutant = {
  id: 'S19',
  title: 'a loopback on INTx that was disarmed signals the eventfd that it had before',
  provenance: {
    system: 'Linux vfio-pci; vfio-cdx; an idxd driver with mediated devices',
    versions: '3.6 to 6.8; up to 7.0; 2023',
    evidence:
      'CVE-2024-26812 (18c198c96a81); CVE-2026-46034 (5ea5880764cb); read. Those fault at a missing target, this one ' +
      'still has the old one',
  },
  invariant: 'no-spurious-interrupt',
  tier: 'E',
  trap: 'a trigger after -1',
  hasTrap: speaksOfIntx,
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 0, whileOff: 'latches', intx: true }],
    operations: [
      'vfio.setIrqs INTX EVENTFD|TRIGGER 0+1 [e0]',
      'vfio.setIrqs INTX EVENTFD|TRIGGER 0+1 [-1]',
      'vfio.setIrqs INTX NONE|TRIGGER 0+1 []',
    ],
  },
  machine: () => new LoopbackAfterDisarm(),
};
