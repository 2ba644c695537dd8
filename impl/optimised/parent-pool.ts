import type { Descriptor, HostPasid, ImsEntry, MdevState, MsixPerm, ParentObservation } from '#vocabulary';
import { type DescriptorTable, OVER, QUEUED } from './descriptor-table.ts';
import { type ImsTable, NONE } from './ims-table.ts';
import { CREATED, GONE, type MdevTable } from './mdev-table.ts';
import { type MdevVectors, mdevOf, placeOf } from './mdev-vectors.ts';
import { FREE, FREE_PENDING, NO_PASID, type PasidTable } from './pasid-table.ts';
import { Arena, ListArena, type Mutable } from './pool.ts';

function makeParent(): Mutable<ParentObservation> {
  return { entries: [], pasids: [], mdevs: [], perms: [], descriptors: [] };
}

function makeEntry(): Mutable<ImsEntry> {
  return { entry: 0, control: 0, data: 0, device: 0, vector: 0, handle: false };
}

function makePasid(): Mutable<HostPasid> {
  return { pasid: 0, state: 'free', vm: 0, guest: 0, references: 0 };
}

function makeMdev(): Mutable<MdevState> {
  return { device: 0, life: 'gone', defaultPasid: 0 };
}

function makePerm(): Mutable<MsixPerm> {
  return { device: 0, vector: 0, value: 0 };
}

function makeDescriptor(): Mutable<Descriptor> {
  return { descriptor: 0, phase: 'over', device: 0, pasid: 0, entry: 0 };
}

/** What is to be observed. */
export interface ParentTables {
  readonly ims: ImsTable;
  readonly pasids: PasidTable;
  readonly mdevs: MdevTable;
  readonly vectors: MdevVectors;
  readonly descriptors: DescriptorTable;
}

/**
 * Writes observations of the parent into objects that it made for earlier ones, looking at nothing but what has been
 * touched. One is valid until the next `begin`.
 */
export class ParentPool {
  readonly #parents = new Arena(makeParent);
  readonly #entries = new Arena(makeEntry);
  readonly #pasids = new Arena(makePasid);
  readonly #mdevs = new Arena(makeMdev);
  readonly #perms = new Arena(makePerm);
  readonly #descriptors = new Arena(makeDescriptor);
  readonly #entryLists = new ListArena<ImsEntry>();
  readonly #pasidLists = new ListArena<HostPasid>();
  readonly #mdevLists = new ListArena<MdevState>();
  readonly #permLists = new ListArena<MsixPerm>();
  readonly #descriptorLists = new ListArena<Descriptor>();

  begin(): void {
    this.#parents.reset();
    this.#entries.reset();
    this.#pasids.reset();
    this.#mdevs.reset();
    this.#perms.reset();
    this.#descriptors.reset();
    this.#entryLists.reset();
    this.#pasidLists.reset();
    this.#mdevLists.reset();
    this.#permLists.reset();
    this.#descriptorLists.reset();
  }

  /** The touched mdevs stay touched: their vectors have still to be observed. */
  observe({ ims, pasids, mdevs, vectors, descriptors }: ParentTables): ParentObservation {
    const parent = this.#parents.next();
    parent.entries = this.#observeEntries(ims);
    parent.pasids = this.#observePasids(pasids, mdevs);
    parent.mdevs = this.#observeMdevs(mdevs);
    parent.perms = this.#observePerms(vectors);
    parent.descriptors = this.#observeDescriptors(descriptors);
    return parent;
  }

  #observeEntries(ims: ImsTable): readonly ImsEntry[] {
    for (let entry = ims.nextChange(0); entry !== NONE; entry = ims.nextChange(entry + 1)) {
      const told = this.#entries.next();
      const owner = ims.owner[entry] as number;
      told.entry = entry;
      told.control = ims.control[entry] as number;
      told.data = ims.data[entry] as number;
      told.device = owner === NONE ? NONE : mdevOf(owner);
      told.vector = owner === NONE ? NONE : placeOf(owner);
      told.handle = ims.handle[entry] !== 0;
      this.#entryLists.push(told);
    }
    return this.#entryLists.next();
  }

  #observePasids(pasids: PasidTable, mdevs: MdevTable): readonly HostPasid[] {
    for (let pasid = pasids.nextChange(1); pasid !== NO_PASID; pasid = pasids.nextChange(pasid + 1)) {
      const told = this.#pasids.next();
      const state = pasids.state(pasid);
      told.pasid = pasid;
      told.state = nameOfState(state);
      told.vm = state === FREE ? -1 : (mdevs.vmNumber[pasids.vm(pasid)] as number);
      told.guest = pasids.guest(pasid);
      told.references = pasids.references(pasid);
      this.#pasidLists.push(told);
    }
    return this.#pasidLists.next();
  }

  #observeMdevs(mdevs: MdevTable): readonly MdevState[] {
    const { touched } = mdevs;
    for (let mdev = touched.next(0); mdev !== -1; mdev = touched.next(mdev + 1)) {
      if (!mdevs.hasChanged(mdev)) continue;
      const told = this.#mdevs.next();
      told.device = mdev;
      told.life = nameOfLife(mdevs.life[mdev] as number);
      told.defaultPasid = mdevs.defaultPasid[mdev] as number;
      this.#mdevLists.push(told);
    }
    return this.#mdevLists.next();
  }

  #observePerms(vectors: MdevVectors): readonly MsixPerm[] {
    for (let vector = vectors.takeWritten(); vector !== NONE; vector = vectors.takeWritten()) {
      const told = this.#perms.next();
      told.device = mdevOf(vector);
      told.vector = placeOf(vector);
      told.value = vectors.permOf(vector);
      this.#permLists.push(told);
    }
    return this.#permLists.next();
  }

  #observeDescriptors(descriptors: DescriptorTable): readonly Descriptor[] {
    const { places, count } = descriptors.takeChanges();
    for (let index = 0; index < count; index += 1) {
      const place = places[index] as number;
      const told = this.#descriptors.next();
      told.descriptor = descriptors.numbers[place] as number;
      told.phase = nameOfPhase(descriptors.phases[place] as number);
      told.device = descriptors.submitters[place] as number;
      told.pasid = descriptors.pasids[place] as number;
      told.entry = descriptors.entries[place] as number;
      this.#descriptorLists.push(told);
    }
    return this.#descriptorLists.next();
  }
}

function nameOfState(state: number): HostPasid['state'] {
  if (state === FREE) return 'free';
  return state === FREE_PENDING ? 'free-pending' : 'active';
}

function nameOfLife(life: number): MdevState['life'] {
  if (life === GONE) return 'gone';
  return life === CREATED ? 'created' : 'open';
}

function nameOfPhase(phase: number): Descriptor['phase'] {
  if (phase === OVER) return 'over';
  return phase === QUEUED ? 'queued' : 'started';
}
