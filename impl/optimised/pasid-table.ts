import { PASID_MAX } from '#vocabulary';
import { NumberMap } from './number-map.ts';
import { NumberSet } from './number-set.ts';

/** No PASID. */
export const NO_PASID = 0;

// States of a host PASID.
export const FREE = 0;
export const ACTIVE = 1;
export const FREE_PENDING = 2;

const FIRST_CAPACITY = 64;
const GUEST_PASIDS = PASID_MAX + 1;

// The row of a PASID, and the words in it.
const ROW = 8;
/** FREE, ACTIVE or FREE_PENDING. */
const STATE = 0;
/** The VM it belongs to; means something while it is not free. */
const VM = 1;
/** The guest PASID it stands for, or 0. */
const GUEST = 2;
/** References of any kind. */
const REFERENCES = 3;
/** Those among them that keep it active: of who allocated it, and of the mdevs that are attached with it. */
const HOLDERS = 4;
/** The next and the previous one that is bound in the same VM, or NO_PASID. */
const NEXT_BOUND = 5;
const PREVIOUS_BOUND = 6;
/** Words from STATE on that are observed. */
const SEEN_WORDS = 4;

/**
 * The host PASIDs, and what the guest PASIDs of each VM stand for. A VM is a place here, 0 or more. One row for each
 * PASID and not one column for each fact: of some PASID nearly everything is looked at together, and of many PASIDs
 * hardly anything is in a cache. There are as many rows as the most PASIDs that were in use at once ask for.
 */
export class PasidTable {
  rows = new Int32Array(FIRST_CAPACITY * ROW);
  /** The words of each row that are observed, as they were observed last. */
  reported = new Int32Array(FIRST_CAPACITY * SEEN_WORDS);
  readonly touched = new NumberSet(FIRST_CAPACITY);

  /** Bindings of all VMs: a guest PASID of a VM to a host PASID. */
  readonly bindings = new NumberMap();
  /** The one bound last in each VM, or NO_PASID. */
  lastBound = new Uint32Array(0);
  /** Those below #fresh that are free. Those from there on have always been. */
  readonly freePasids = new NumberSet(FIRST_CAPACITY);
  #fresh = 1;

  /** Every PASID is free. Undoes what the last scenario did, and nothing else. */
  begin(vms: number): void {
    for (let pasid = 1; pasid < this.#fresh; pasid += 1) {
      if (this.guest(pasid) !== 0) this.bindings.delete(this.#key(pasid));
      this.#wipe(pasid);
      this.#report(pasid);
    }
    this.touched.clear();
    this.freePasids.clear();
    this.#fresh = 1;
    if (vms > this.lastBound.length) this.lastBound = new Uint32Array(vms);
    else this.lastBound.fill(NO_PASID, 0, vms);
  }

  #wipe(pasid: number): void {
    const row = pasid * ROW;
    this.rows[row + STATE] = FREE;
    this.rows[row + VM] = 0;
    this.rows[row + GUEST] = 0;
    this.rows[row + REFERENCES] = 0;
    this.rows[row + HOLDERS] = 0;
  }

  /** Bytes of all rows and of the map. */
  bytes(): number {
    const sets = this.touched.bytes() + this.freePasids.bytes() + this.bindings.bytes();
    return this.rows.byteLength + this.reported.byteLength + this.lastBound.byteLength + sets;
  }

  /** FREE, ACTIVE or FREE_PENDING. */
  state(pasid: number): number {
    return this.rows[pasid * ROW + STATE] as number;
  }

  /** The place of the VM it belongs to; means something while it is not free. */
  vm(pasid: number): number {
    return this.rows[pasid * ROW + VM] as number;
  }

  /** The guest PASID it stands for, or 0. */
  guest(pasid: number): number {
    return this.rows[pasid * ROW + GUEST] as number;
  }

  references(pasid: number): number {
    return this.rows[pasid * ROW + REFERENCES] as number;
  }

  /** References that keep it active. */
  holders(pasid: number): number {
    return this.rows[pasid * ROW + HOLDERS] as number;
  }

  /** The lowest free PASID from 1 to `most` is the VM's from now on, with no reference yet. NO_PASID without one. */
  allocate(most: number, vm: number, guest: number): number {
    let pasid = this.freePasids.takeSmallest();
    if (pasid === -1) {
      if (this.#fresh > most) return NO_PASID;
      pasid = this.#fresh;
      this.#fresh += 1;
      if (pasid * ROW >= this.rows.length) this.#grow();
    }
    const row = pasid * ROW;
    this.rows[row + STATE] = ACTIVE;
    this.rows[row + VM] = vm;
    this.rows[row + GUEST] = guest;
    this.touched.add(pasid);
    return pasid;
  }

  /** The PASID is nobody's. */
  free(pasid: number): void {
    this.#wipe(pasid);
    this.freePasids.add(pasid);
    this.touched.add(pasid);
  }

  setState(pasid: number, state: number): void {
    this.rows[pasid * ROW + STATE] = state;
    this.touched.add(pasid);
  }

  /** Changes the number of references by `count`, of which so many keep it active. */
  count(pasid: number, count: number, holders: number): void {
    const row = pasid * ROW;
    this.rows[row + REFERENCES] = (this.rows[row + REFERENCES] as number) + count;
    this.rows[row + HOLDERS] = (this.rows[row + HOLDERS] as number) + holders;
    this.touched.add(pasid);
  }

  /** The host PASID that a guest PASID of the VM is bound to, or NO_PASID. */
  translate(vm: number, guest: number): number {
    return guest > PASID_MAX ? NO_PASID : this.bindings.get(vm * GUEST_PASIDS + guest);
  }

  /** The guest PASID that the host PASID was allocated for is bound to it. */
  bind(pasid: number): void {
    const vm = this.vm(pasid);
    const last = this.lastBound[vm] as number;
    const row = pasid * ROW;
    this.bindings.set(this.#key(pasid), pasid);
    this.rows[row + NEXT_BOUND] = NO_PASID;
    this.rows[row + PREVIOUS_BOUND] = last;
    if (last !== NO_PASID) this.rows[last * ROW + NEXT_BOUND] = pasid;
    this.lastBound[vm] = pasid;
  }

  unbind(pasid: number): void {
    const row = pasid * ROW;
    const next = this.rows[row + NEXT_BOUND] as number;
    const previous = this.rows[row + PREVIOUS_BOUND] as number;
    this.bindings.delete(this.#key(pasid));
    if (previous !== NO_PASID) this.rows[previous * ROW + NEXT_BOUND] = next;
    if (next !== NO_PASID) this.rows[next * ROW + PREVIOUS_BOUND] = previous;
    else this.lastBound[this.vm(pasid)] = previous;
  }

  /** The host PASIDs that are bound in the VM, by ascending guest PASID. It is done rarely, and allocates. */
  boundIn(vm: number): readonly number[] {
    const bound: number[] = [];
    let pasid = this.lastBound[vm] as number;
    for (; pasid !== NO_PASID; pasid = this.rows[pasid * ROW + PREVIOUS_BOUND] as number) bound.push(pasid);
    return bound.sort((left, right) => this.guest(left) - this.guest(right));
  }

  #key(pasid: number): number {
    return this.vm(pasid) * GUEST_PASIDS + this.guest(pasid);
  }

  /** The next PASID from `from` on that is not as it was observed last, or NO_PASID. It counts as observed. */
  nextChange(from: number): number {
    for (let pasid = this.touched.next(from); pasid !== -1; pasid = this.touched.next(pasid + 1))
      if (this.#report(pasid)) return pasid;
    this.touched.clear();
    return NO_PASID;
  }

  /** Returns whether it is not as it was observed last. */
  #report(pasid: number): boolean {
    const row = pasid * ROW;
    const told = pasid * SEEN_WORDS;
    let differs = false;
    for (let word = 0; word < SEEN_WORDS; word += 1) {
      const now = this.rows[row + word] as number;
      if (this.reported[told + word] === now) continue;
      this.reported[told + word] = now;
      differs = true;
    }
    return differs;
  }

  #grow(): void {
    const [rows, reported] = [this.rows, this.reported];
    this.rows = new Int32Array(rows.length * 2);
    this.reported = new Int32Array(reported.length * 2);
    this.rows.set(rows);
    this.reported.set(reported);
    this.touched.reserve(this.rows.length / ROW);
    this.freePasids.reserve(this.rows.length / ROW);
  }
}
