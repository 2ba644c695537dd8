import type { Outcome, VfioSetIrqs } from '#vocabulary';
import type { Device } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { wraps } from './traps.ts';

/** 32 bits. */
const SUMS = 2 ** 32;

/** The end of a range is looked at in 32 bits, and nothing else of it; the loop over it ends before it begins. */
class RangeWraps extends OptimisedMachine {
  protected override setIrqs(device: Device, operation: VfioSetIrqs): Outcome {
    const { index, start, count, unreadable } = operation;
    const end = start + count;
    const wraps = end >= SUMS && end - SUMS <= this.irqCount(device, index);
    if (!wraps || unreadable === true) return super.setIrqs(device, operation);
    return this.validate(device, { ...operation, start: 0, count: 0 });
  }
}

export const s28: Mutant = {
  id: 'S28',
  title: 'start + count wraps past the check of the range, and the call is granted',
  provenance: {
    system: 'libvfio-user; Linux vfio-pci',
    versions: 'up to March 2024; up to 4.8.11',
    evidence: "b646559, issue 790, found by SPDK's fuzzer; CVE-2016-9083 (05692d7005a3)",
  },
  invariant: 'irq-info-honest',
  tier: 'M',
  trap: 'the largest numbers of 32 bits',
  hasTrap: wraps,
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 4294967295+1 [e0]'],
  },
  machine: () => new RangeWraps(),
};
