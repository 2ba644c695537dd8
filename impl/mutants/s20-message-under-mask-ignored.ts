import type { Config } from '#vocabulary';
import type { Guest } from '../optimised/guest.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import type { Mutant } from './mutant.ts';
import { writesTable } from './traps.ts';

/** A vector that has had a route has one, and nobody looks whether it still says what the table says. */
class MessageUnderMaskIgnored extends OptimisedMachine {
  readonly #routed = new Map<Guest, Set<number>>();

  protected override start(config: Config): void {
    this.#routed.clear();
    super.start(config);
  }

  protected override updateRoute(guest: Guest, vector: number): void {
    const routed = this.#routed.get(guest) ?? new Set();
    this.#routed.set(guest, routed);
    if (!routed.has(vector)) super.updateRoute(guest, vector);
    routed.add(vector);
  }

  protected override vfioPciReset(guest: Guest): void {
    super.vfioPciReset(guest);
    this.#routed.delete(guest);
  }
}

export const s20: Mutant = {
  id: 'S20',
  title: 'a message that the guest changes while its vector is masked does not reach the route of KVM',
  provenance: {
    system: 'QEMU vfio-pci; crosvm; QEMU on Xen',
    versions: 'up to 1.6; up to November 2019; 2015',
    evidence: 'c7679d450e; 917b90e2a; f0ada3608a',
  },
  invariant: 'no-spurious-interrupt',
  tier: 'E',
  trap: 'a delivered message that is compared',
  hasTrap: writesTable,
  shortest: {
    profile: 'linux-6.12+qemu-10.0/irqfd',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: [
      'guest.msixControl enable',
      'guest.unmask 0',
      'guest.mask 0',
      'guest.tableWrite 0 +8/8 0x0',
      'device.raise 0',
    ],
  },
  machine: () => new MessageUnderMaskIgnored(),
};
