import type { Descriptor, HostPasid, ImsEntry, MdevState, MsixPerm, ParentObservation } from '#vocabulary';
import { type DescriptorTable, OVER, QUEUED } from './descriptor-table.ts';
import { type ImsTable, NONE } from './ims-table.ts';
import { CREATED, GONE, type MdevTable } from './mdev-table.ts';
import { type MdevVectors, mdevOf, placeOf } from './mdev-vectors.ts';
import { FREE, FREE_PENDING, NO_PASID, type PasidTable } from './pasid-table.ts';
import { Arena, List, type Mutable } from './pool.ts';

/** An observation and the lists its arrays are views of. */
interface ParentRecord {
  readonly parent: Mutable<ParentObservation>;
  readonly entries: List<ImsEntry>;
  readonly pasids: List<HostPasid>;
  readonly mdevs: List<MdevState>;
  readonly perms: List<MsixPerm>;
  readonly descriptors: List<Descriptor>;
}

function makeRecord(): ParentRecord {
  return {
    parent: { entries: [], pasids: [], mdevs: [], perms: [], descriptors: [] },
    entries: new List(),
    pasids: new List(),
    mdevs: new List(),
    perms: new List(),
    descriptors: new List(),
  };
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
  readonly #records = new Arena(makeRecord);
  readonly #entries = new Arena(makeEntry);
  readonly #pasids = new Arena(makePasid);
  readonly #mdevs = new Arena(makeMdev);
  readonly #perms = new Arena(makePerm);
  readonly #descriptors = new Arena(makeDescriptor);

  begin(): void {
    this.#records.reset();
    this.#entries.reset();
    this.#pasids.reset();
    this.#mdevs.reset();
    this.#perms.reset();
    this.#descriptors.reset();
  }

  /** The touched mdevs stay touched: their vectors have still to be observed. */
  observe({ ims, pasids, mdevs, vectors, descriptors }: ParentTables): ParentObservation {
    const record = this.#records.next();
    record.parent.entries = this.#observeEntries(ims, record.entries);
    record.parent.pasids = this.#observePasids(pasids, mdevs, record.pasids);
    record.parent.mdevs = this.#observeMdevs(mdevs, record.mdevs);
    record.parent.perms = this.#observePerms(vectors, record.perms);
    record.parent.descriptors = this.#observeDescriptors(descriptors, record.descriptors);
    return record.parent;
  }

  #observeEntries(ims: ImsTable, into: List<ImsEntry>): readonly ImsEntry[] {
    into.clear();
    for (let entry = ims.nextChange(0); entry !== NONE; entry = ims.nextChange(entry + 1)) {
      const told = this.#entries.next();
      const owner = ims.owner[entry] as number;
      told.entry = entry;
      told.control = ims.control[entry] as number;
      told.data = ims.data[entry] as number;
      told.device = owner === NONE ? NONE : mdevOf(owner);
      told.vector = owner === NONE ? NONE : placeOf(owner);
      told.handle = ims.handle[entry] !== 0;
      into.push(told);
    }
    return into.view();
  }

  #observePasids(pasids: PasidTable, mdevs: MdevTable, into: List<HostPasid>): readonly HostPasid[] {
    into.clear();
    for (let pasid = pasids.nextChange(1); pasid !== NO_PASID; pasid = pasids.nextChange(pasid + 1)) {
      const told = this.#pasids.next();
      const state = pasids.state(pasid);
      told.pasid = pasid;
      told.state = nameOfState(state);
      told.vm = state === FREE ? -1 : (mdevs.vmNumber[pasids.vm(pasid)] as number);
      told.guest = pasids.guest(pasid);
      told.references = pasids.references(pasid);
      into.push(told);
    }
    return into.view();
  }

  #observeMdevs(mdevs: MdevTable, into: List<MdevState>): readonly MdevState[] {
    into.clear();
    const { touched } = mdevs;
    for (let mdev = touched.next(0); mdev !== -1; mdev = touched.next(mdev + 1)) {
      if (!mdevs.hasChanged(mdev)) continue;
      const told = this.#mdevs.next();
      told.device = mdev;
      told.life = nameOfLife(mdevs.life[mdev] as number);
      told.defaultPasid = mdevs.defaultPasid[mdev] as number;
      into.push(told);
    }
    return into.view();
  }

  #observePerms(vectors: MdevVectors, into: List<MsixPerm>): readonly MsixPerm[] {
    into.clear();
    for (let vector = vectors.takeWritten(); vector !== NONE; vector = vectors.takeWritten()) {
      const told = this.#perms.next();
      told.device = mdevOf(vector);
      told.vector = placeOf(vector);
      told.value = vectors.permOf(vector);
      into.push(told);
    }
    return into.view();
  }

  #observeDescriptors(descriptors: DescriptorTable, into: List<Descriptor>): readonly Descriptor[] {
    into.clear();
    const { places, count } = descriptors.takeChanges();
    for (let index = 0; index < count; index += 1) {
      const place = places[index] as number;
      const told = this.#descriptors.next();
      told.descriptor = descriptors.numbers[place] as number;
      told.phase = nameOfPhase(descriptors.phases[place] as number);
      told.device = descriptors.submitters[place] as number;
      told.pasid = descriptors.pasids[place] as number;
      told.entry = descriptors.entries[place] as number;
      into.push(told);
    }
    return into.view();
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
