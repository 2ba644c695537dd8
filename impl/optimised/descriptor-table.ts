import { NumberMap } from './number-map.ts';

/** No descriptor, and no entry. */
const NONE = -1;

// Phases of a descriptor.
export const OVER = 0;
export const QUEUED = 1;
export const STARTED = 2;

/** Names that are remembered from scenario to scenario. With more, all are forgotten. */
const NAMES_MAX = 4096;

/** Some descriptors, listed; as long as `count`. */
export interface Found {
  readonly places: number[];
  count: number;
}

/**
 * The descriptors of a scenario. One has a place here from its first submission on, and keeps it. Those in flight can
 * be found by the mdev they were submitted to, and those that were started also by the entry they were checked against.
 */
export class DescriptorTable {
  // These by place.
  readonly numbers: number[] = [];
  readonly phases: number[] = [];
  /** The mdev it was submitted to. */
  readonly submitters: number[] = [];
  /** The host PASID it carries. */
  readonly pasids: number[] = [];
  /** The PASID that the guest has written; 0 for the dedicated queue. */
  readonly guestPasids: number[] = [];
  readonly handles: number[] = [];
  /** 1 where it asks for a completion interrupt. */
  readonly requests: number[] = [];
  /** The entry it was checked against, or NONE. */
  readonly entries: number[] = [];
  readonly #nextOfMdev: number[] = [];
  readonly #previousOfMdev: number[] = [];
  readonly #nextOfEntry: number[] = [];
  readonly #previousOfEntry: number[] = [];

  readonly #reportedPhases: number[] = [];
  readonly #reportedSubmitters: number[] = [];
  readonly #reportedPasids: number[] = [];
  readonly #reportedEntries: number[] = [];
  readonly #isTouched: boolean[] = [];
  readonly #touched: Found = { places: [], count: 0 };
  /** Those that were submitted since the scenario began. */
  readonly #isUsed: boolean[] = [];
  readonly #used: Found = { places: [], count: 0 };

  readonly #places = new Map<number, number>();
  /** The one submitted last, by mdev plus 1, and the one started last, by entry plus 1: place plus 1. */
  readonly #lastOfMdev = new NumberMap();
  readonly #lastOfEntry = new NumberMap();
  readonly #foundOfMdev: Found = { places: [], count: 0 };
  readonly #foundOfEntry: Found = { places: [], count: 0 };
  readonly #changed: Found = { places: [], count: 0 };

  /** None is in flight. Undoes what the last scenario did, and nothing else. */
  begin(): void {
    const used = this.#used;
    for (let index = 0; index < used.count; index += 1) {
      const place = used.places[index] as number;
      if (this.phases[place] !== OVER) this.end(place);
      this.#isTouched[place] = false;
      this.#isUsed[place] = false;
      this.#report(place);
    }
    used.count = 0;
    this.#touched.count = 0;
    if (this.numbers.length > NAMES_MAX) this.#forgetNames();
  }

  #forgetNames(): void {
    this.#places.clear();
    this.numbers.length = 0;
  }

  /** The place of a descriptor, whether it has ever been submitted or not. */
  place(number: number): number {
    return this.#places.get(number) ?? this.#create(number);
  }

  #create(number: number): number {
    const place = this.numbers.length;
    this.#places.set(number, place);
    this.numbers.push(number);
    this.phases[place] = OVER;
    this.#isTouched[place] = false;
    this.#isUsed[place] = false;
    this.#clean(place);
    this.#report(place);
    return place;
  }

  #clean(place: number): void {
    this.submitters[place] = NONE;
    this.pasids[place] = 0;
    this.guestPasids[place] = 0;
    this.handles[place] = 0;
    this.requests[place] = 0;
    this.entries[place] = NONE;
  }

  /** It is in flight, and queued. */
  submit(place: number, mdev: number, pasid: number): void {
    this.phases[place] = QUEUED;
    this.submitters[place] = mdev;
    this.pasids[place] = pasid;
    this.#link(this.#lastOfMdev, mdev, this.#previousOfMdev, this.#nextOfMdev, place);
    this.#touch(place);
    if (this.#isUsed[place] === true) return;
    this.#isUsed[place] = true;
    push(this.#used, place);
  }

  setRequest(place: number, guestPasid: number, handle: number, isRequested: boolean): void {
    this.guestPasids[place] = guestPasid;
    this.handles[place] = handle;
    this.requests[place] = Number(isRequested);
  }

  /** It is begun, checked against an entry or NONE. */
  start(place: number, entry: number): void {
    this.phases[place] = STARTED;
    this.entries[place] = entry;
    if (entry !== NONE) this.#link(this.#lastOfEntry, entry, this.#previousOfEntry, this.#nextOfEntry, place);
    this.#touch(place);
  }

  /** It is not in flight any more. */
  end(place: number): void {
    const entry = this.entries[place] as number;
    if (entry !== NONE) this.#unlink(this.#lastOfEntry, entry, this.#previousOfEntry, this.#nextOfEntry, place);
    const mdev = this.submitters[place] as number;
    this.#unlink(this.#lastOfMdev, mdev, this.#previousOfMdev, this.#nextOfMdev, place);
    this.phases[place] = OVER;
    this.#clean(place);
    this.#touch(place);
  }

  #link(last: NumberMap, key: number, previous: number[], next: number[], place: number): void {
    const before = last.get(key + 1) - 1;
    previous[place] = before;
    next[place] = NONE;
    if (before !== NONE) next[before] = place;
    last.set(key + 1, place + 1);
  }

  #unlink(last: NumberMap, key: number, previous: number[], next: number[], place: number): void {
    const before = previous[place] as number;
    const after = next[place] as number;
    if (before !== NONE) next[before] = after;
    if (after !== NONE) previous[after] = before;
    else if (before !== NONE) last.set(key + 1, before + 1);
    else last.delete(key + 1);
  }

  /** The places of those in flight that were submitted to the mdev, by ascending number: valid until the next time. */
  ofMdev(mdev: number): Found {
    return this.#list(this.#lastOfMdev.get(mdev + 1), this.#previousOfMdev, this.#foundOfMdev);
  }

  /** The places of those that were started and checked against the entry, by ascending number: valid like the other. */
  ofEntry(entry: number): Found {
    return this.#list(this.#lastOfEntry.get(entry + 1), this.#previousOfEntry, this.#foundOfEntry);
  }

  #list(last: number, previous: readonly number[], found: Found): Found {
    found.count = 0;
    for (let place = last - 1; place !== NONE; place = previous[place] as number) push(found, place);
    // Mostly they were submitted in ascending order, and the last one is found first.
    const { places } = found;
    for (let low = 0, high = found.count - 1; low < high; low += 1, high -= 1) {
      const place = places[low] as number;
      places[low] = places[high] as number;
      places[high] = place;
    }
    this.#sort(found);
    return found;
  }

  #sort({ places, count }: Found): void {
    for (let index = 1; index < count; index += 1) {
      const place = places[index] as number;
      const number = this.numbers[place] as number;
      let at = index;
      for (; at > 0 && (this.numbers[places[at - 1] as number] as number) > number; at -= 1)
        places[at] = places[at - 1] as number;
      places[at] = place;
    }
  }

  #touch(place: number): void {
    if (this.#isTouched[place] === true) return;
    this.#isTouched[place] = true;
    push(this.#touched, place);
  }

  /** The places of those that are not as they were observed last, by ascending number. They count as observed. */
  takeChanges(): Found {
    const touched = this.#touched;
    this.#sort(touched);
    const changed = this.#changed;
    changed.count = 0;
    for (let index = 0; index < touched.count; index += 1) {
      const place = touched.places[index] as number;
      this.#isTouched[place] = false;
      if (!this.#differs(place)) continue;
      this.#report(place);
      push(changed, place);
    }
    touched.count = 0;
    return changed;
  }

  #differs(place: number): boolean {
    return (
      this.phases[place] !== this.#reportedPhases[place] ||
      this.submitters[place] !== this.#reportedSubmitters[place] ||
      this.pasids[place] !== this.#reportedPasids[place] ||
      this.entries[place] !== this.#reportedEntries[place]
    );
  }

  #report(place: number): void {
    this.#reportedPhases[place] = this.phases[place] as number;
    this.#reportedSubmitters[place] = this.submitters[place] as number;
    this.#reportedPasids[place] = this.pasids[place] as number;
    this.#reportedEntries[place] = this.entries[place] as number;
  }
}

function push(list: Found, place: number): void {
  list.places[list.count] = place;
  list.count += 1;
}
