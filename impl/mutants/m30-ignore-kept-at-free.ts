import { IMS_IGNORE } from '#vocabulary';
import { MdevMachine } from '../optimised/mdev-machine.ts';
import type { Mutant } from './mutant.ts';
import { TWO_VMS } from './two-vms.ts';

/** One bit for whoever comes next. */
class IgnoreKeptAtFree extends MdevMachine {
  protected override closeEntry(entry: number): void {
    const isIgnored = this.ims.has(entry, IMS_IGNORE);
    super.closeEntry(entry);
    if (isIgnored) this.ims.set(entry, IMS_IGNORE);
  }
}

export const m30: Mutant = {
  id: 'M30',
  title: 'an entry that is freed keeps Ignore, and the completions of its next owner vanish',
  provenance: {
    system: 'any driver that clears the PASID alone',
    versions: '2020 to 2023',
    evidence: 'the free paths write the PASID field and no other bit',
  },
  invariant: 'pasid-isolation',
  tier: 'M',
  trap: 'Ignore on an entry that is freed',
  shortest: {
    profile: 'idxd-mdev',
    ...TWO_VMS,
    operations: ['guest.msixPerm 1 off 0 ignore', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+3 [e0 e0 e0]'],
  },
  mdevs: () => new IgnoreKeptAtFree(),
};
