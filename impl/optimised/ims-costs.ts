import type { Config } from '#vocabulary';
import { MdevMachine } from './mdev-machine.ts';
import { mdevOf, placeOf, vectorOf } from './mdev-vectors.ts';

/** IMS vectors and guest PASIDs of each mdev. */
const SHARE = 16;
/** How much each piece of work does: so many times what it is about. */
export const IMS_WORK_OPERATIONS = 1 << 16;
/** Vectors that have lost their entries before anything is measured, so that the lowest free one is not always one. */
const SPARE = 8;

/** Pieces of work to be timed, each of IMS_WORK_OPERATIONS; they can be repeated in any order. */
export interface ImsWork {
  /** Entries of a table that is nearly full: one is given back, the lowest free one taken. Half of the work each. */
  readonly allocateAndFree: () => void;
  /** What the hardware does when a descriptor is begun. Returns how many fit: half of them. */
  readonly check: () => number;
  /** Guest PASIDs of all VMs to host PASIDs. Returns how many are bound: all. */
  readonly translate: () => number;
  /** Host PASIDs, as many as there are entries and mdevs: one is given back, the lowest free one taken. */
  readonly allocateAndFreePasid: () => void;
  /** A guest gives a PASID back, which its VM looks for in the entries of its vectors, and sets it up again. */
  readonly freeAndBind: () => void;
  /** Bytes of the columns of entries, vectors and mdevs. */
  readonly bytes: number;
}

/**
 * Work of the driver with a table of so many entries, 16 for each mdev, each mdev in a VM of its own with 16 guest
 * PASIDs, so 4096 mdevs and VMs where there are 65536.
 * @param entries a multiple of 256, at most 65536
 */
export function imsWork(entries: number): ImsWork {
  // To take entries away from vectors changes what the check finds.
  const [changing, constant] = [new MeasuredMachine(entries), new MeasuredMachine(entries)];
  changing.makeSpare();
  return {
    allocateAndFree: () => changing.allocateAndFree(),
    check: () => constant.checkAll(),
    translate: () => constant.translateAll(),
    allocateAndFreePasid: () => changing.allocateAndFreePasid(),
    freeAndBind: () => constant.freeAndBind(),
    bytes: constant.tableBytes(),
  };
}

function configOf(entries: number): Config {
  const mdevs = entries / SHARE;
  return {
    host: { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'ignored' },
    mdev: {
      ...{ allocation: 'per-vector', permSync: 'atEnable', noTranslation: 'fail' },
      ...{ defaultPasid: 'per-mdev', releaseBy: 'index' },
    },
    parent: { entries, pasids: mdevs * (SHARE + 1), quota: SHARE, handles: 'requested' },
    devices: Array.from({ length: mdevs }, (_, vm) => ({
      ...{ msixVectors: SHARE + 1, whileOff: 'drops' as const },
      mdev: { vm, viommu: true as const },
    })),
  };
}

/** The steps of the driver, in an order that looks like none. */
class MeasuredMachine extends MdevMachine {
  // These by operation.
  /** A vector that has an entry. */
  readonly #vectors = new Int32Array(IMS_WORK_OPERATIONS);
  /** What a descriptor carries for it: the handle, and every other time the PASID of its entry. */
  readonly #handles = new Uint16Array(IMS_WORK_OPERATIONS);
  readonly #pasids = new Uint32Array(IMS_WORK_OPERATIONS);
  /** The host PASID of a guest PASID of its VM. */
  readonly #guestPasids = new Uint32Array(IMS_WORK_OPERATIONS);

  constructor(entries: number) {
    super();
    this.start(configOf(entries));
    for (let number = 0; number < entries; number += 1) {
      const vector = vectorOf(Math.floor(number / SHARE), 1 + (number % SHARE));
      const mdev = mdevOf(vector);
      this.bindPasid(mdev, placeOf(vector));
      const entry = this.allocEntry(vector);
      this.programEntry(entry, this.defaultPasid(mdev));
      this.ims.setHandle(entry, true);
    }
    for (let index = 0; index < IMS_WORK_OPERATIONS; index += 1) {
      const number = (Math.imul(index, 0x9e3779b1) >>> 0) % entries;
      const vector = vectorOf(Math.floor(number / SHARE), 1 + (number % SHARE));
      this.#vectors[index] = vector;
      this.#handles[index] = this.vectors.entry(vector);
      this.#pasids[index] = this.defaultPasid(mdevOf(vector)) + (index & 1);
      this.#guestPasids[index] = this.translate(mdevOf(vector), placeOf(vector));
    }
  }

  makeSpare(): void {
    for (let mdev = 0; mdev < SPARE; mdev += 1) this.freeEntry(vectorOf(mdev, SHARE));
  }

  allocateAndFree(): void {
    for (let index = 0; index < IMS_WORK_OPERATIONS; index += 2) {
      const vector = this.#vectors[index] as number;
      // One of the spare ones has none.
      if (this.vectors.entry(vector) !== -1) this.freeEntry(vector);
      this.allocEntry(vector);
    }
  }

  checkAll(): number {
    let fitting = 0;
    for (let index = 0; index < IMS_WORK_OPERATIONS; index += 1) {
      const [handle, pasid] = [this.#handles[index] as number, this.#pasids[index] as number];
      fitting += Number(this.ims.check(handle, pasid, true));
    }
    return fitting;
  }

  translateAll(): number {
    let bound = 0;
    for (let index = 0; index < IMS_WORK_OPERATIONS; index += 1) {
      const vector = this.#vectors[index] as number;
      bound += Number(this.translate(mdevOf(vector), placeOf(vector)) !== 0);
    }
    return bound;
  }

  allocateAndFreePasid(): void {
    for (let index = 0; index < IMS_WORK_OPERATIONS; index += 2) {
      // All are taken, so the one that was given back is taken again.
      this.reclaimPasid(this.#guestPasids[index] as number);
      this.allocPasid(0, index);
    }
  }

  freeAndBind(): void {
    for (let index = 0; index < IMS_WORK_OPERATIONS; index += 2) {
      const vector = this.#vectors[index] as number;
      this.freePasid(mdevOf(vector), placeOf(vector));
      this.bindPasid(mdevOf(vector), placeOf(vector));
    }
  }
}
