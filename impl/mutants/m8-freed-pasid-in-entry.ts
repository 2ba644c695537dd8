import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** Either half alone does no harm: a reference keeps the number, closing the entry keeps it out of use. */
class FreedPasidInEntry extends MdevMachine {
  #isEntrys = false;

  protected override evictPasid(_vm: number, _pasid: number): void {}

  protected override programEntry(entry: number, pasid: number): void {
    this.#isEntrys = true;
    super.programEntry(entry, pasid);
    this.#isEntrys = false;
  }

  protected override closeEntry(entry: number): void {
    this.#isEntrys = true;
    super.closeEntry(entry);
    this.#isEntrys = false;
  }

  /** Descriptors have their references all the same. */
  protected override quiesce(entry: number): void {
    const isEntrys = this.#isEntrys;
    this.#isEntrys = false;
    super.quiesce(entry);
    this.#isEntrys = isEntrys;
  }

  protected override takeReference(pasid: number): void {
    if (!this.#isEntrys) super.takeReference(pasid);
  }

  protected override dropReference(pasid: number): void {
    if (!this.#isEntrys) super.dropReference(pasid);
  }
}

export const m8: Mutant = {
  id: 'M8',
  title: 'a PASID that the guest gives back stays in the entries, which have no reference to it',
  provenance: {
    system: 'idxd drivers with vSVM',
    versions: '2021',
    evidence: 'the handler of IOASID_FREE drains shared queues and does not touch entries',
  },
  invariant: 'pasid-isolation',
  tier: 'M',
  trap: 'a PASID that is freed while a vector uses it, and given to somebody else',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: [
      'guest.bindPasid 3',
      'guest.msixPerm 1 on 3',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e1]',
      'guest.freePasid 3',
    ],
  },
  mdevs: () => new FreedPasidInEntry(),
};
