import type { MdevTraits, Parent } from '#vocabulary';
import { ARMED, HarnessError, IMS_PENDING, PENDING, UNMASKED } from '#vocabulary';
import { DescriptorTable } from './descriptor-table.ts';
import { ImsTable, NONE } from './ims-table.ts';
import { OptimisedMachine } from './machine.ts';
import { MdevTable } from './mdev-table.ts';
import { MdevVectors, mdevOf, placeOf } from './mdev-vectors.ts';
import { PasidTable } from './pasid-table.ts';

/**
 * The lowest layer of a machine with mdevs: everything that is known of them, in columns. An mdev is its place in the
 * Config here, a vector the number that `vectorOf` makes, an entry its index, a PASID itself, a VM and a descriptor
 * their places in the tables. What a layer needs from one above it is abstract.
 */
export abstract class MdevStateLayer extends OptimisedMachine {
  protected traits: MdevTraits = {
    ...{ allocation: 'per-vector', permSync: 'atEnable', noTranslation: 'fail' },
    ...{ defaultPasid: 'per-mdev', releaseBy: 'index' },
  };
  protected parent: Parent = { entries: 0, pasids: 0, quota: 0, handles: 'index' };
  /** The table that the guest sees is a VMM's, and the driver takes every vector for unmasked. */
  protected isTableHidden = false;
  protected readonly ims = new ImsTable();
  protected readonly pasids = new PasidTable();
  protected readonly mdevs = new MdevTable();
  protected readonly vectors = new MdevVectors(this.mdevs);
  protected readonly descriptors = new DescriptorTable();

  /** Bytes of the columns of entries, of vectors and of mdevs: what is there for as long as the machine is. */
  tableBytes(): number {
    return this.ims.bytes() + this.vectors.bytes() + this.mdevs.bytes();
  }

  protected mdev(place: number): number {
    if (!Number.isInteger(place) || place < 0 || place >= this.mdevs.count)
      throw new HarnessError(`the scenario has no device ${place}`);
    return place;
  }

  protected vectorCount(mdev: number): number {
    return this.mdevs.vectorCount[mdev] as number;
  }

  protected isOpen(mdev: number): boolean {
    return (this.mdevs.openCount[mdev] as number) > 0;
  }

  protected vmOf(mdev: number): number {
    return this.mdevs.vm[mdev] as number;
  }

  protected defaultPasid(mdev: number): number {
    return this.mdevs.defaultPasid[mdev] as number;
  }

  protected hasTrigger(vector: number): boolean {
    return this.vectors.has(vector, ARMED);
  }

  /** As the guest has it. */
  protected isMasked(vector: number): boolean {
    return !this.isTableHidden && !this.vectors.has(vector, UNMASKED);
  }

  /** What is observed of a vector: what its entry keeps is pending too. */
  protected vectorState(vector: number): number {
    const state = this.vectors.state(vector);
    const entry = this.vectors.entry(vector);
    return entry !== NONE && this.ims.has(entry, IMS_PENDING) ? state | PENDING : state;
  }

  /** The hardware has kept an interrupt for an entry, or keeps it no more. */
  protected setKept(entry: number, isKept: boolean): void {
    if (isKept) this.ims.set(entry, IMS_PENDING);
    else this.ims.clear(entry, IMS_PENDING);
    const vector = this.ims.owner[entry] as number;
    if (vector !== NONE) this.vectors.touch(vector);
  }

  /** The eventfd of a vector that has a trigger is signalled; where there is a VMM, it or KVM waits for that. */
  protected signal(vector: number): void {
    const guest = this.guests.length === 0 ? undefined : this.guests[mdevOf(vector)];
    if (guest === undefined) this.eventfdSignal(this.vectors.slot(vector), this.vectors.generation(vector));
    else this.eventfdWakeup(guest, placeOf(vector));
  }
}
