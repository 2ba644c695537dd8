import type { DeviceObservation, Observation, VectorChange } from '#vocabulary';
import { NONE } from './ims-table.ts';
import type { MdevTable } from './mdev-table.ts';
import { type MdevVectors, placeOf } from './mdev-vectors.ts';
import { Arena, List, type Mutable } from './pool.ts';

interface Record {
  readonly observation: Mutable<DeviceObservation>;
  readonly changes: List<VectorChange>;
}

const NO_CHANGES: readonly VectorChange[] = [];

function makeObservation(): Mutable<DeviceObservation> {
  return { enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, changes: NO_CHANGES };
}

function makeRecord(): Record {
  return { observation: makeObservation(), changes: new List() };
}

function makeChange(): Mutable<VectorChange> {
  return { vector: 0, state: 0 };
}

function makeList(): DeviceObservation[] {
  return [];
}

/**
 * Observes mdevs that no VMM shows. Only those are looked at that were touched; of the others each observation has the
 * same object, and where there were none the observation itself is the one before. One is valid until `begin`.
 */
export class MdevObserver {
  readonly #mdevs: MdevTable;
  readonly #vectors: MdevVectors;
  readonly #lists = new Arena(makeList);
  readonly #records = new Arena(makeRecord);
  readonly #quietOnes = new Arena(makeObservation);
  readonly #changes = new Arena(makeChange);
  /** Each mdev as it is now, without changes. */
  readonly #quiet: DeviceObservation[] = [];
  #last: DeviceObservation[] = [];
  /** There are changes in #last. */
  #hasChanges = false;

  constructor(mdevs: MdevTable, vectors: MdevVectors) {
    this.#mdevs = mdevs;
    this.#vectors = vectors;
  }

  begin(): void {
    this.#lists.reset();
    this.#records.reset();
    this.#quietOnes.reset();
    this.#changes.reset();
    this.#quiet.length = 0;
    const { count } = this.#mdevs;
    const nothing = this.#quietOnes.next();
    nothing.enable = false;
    nothing.msixInfoFlags = 0;
    while (this.#quiet.length < count) this.#quiet.push(nothing);
    this.#hasChanges = true;
  }

  /**
   * @param infoFlags VFIO_IRQ_INFO_* flags of an open mdev
   * @param state what is observed of a vector
   */
  observe(infoFlags: number, state: (vector: number) => number): Observation {
    const { touched } = this.#mdevs;
    let mdev = touched.next(0);
    if (mdev === -1 && !this.#hasChanges) return this.#last;
    const into = this.#nextList();
    for (; mdev !== -1; mdev = touched.next(mdev + 1)) {
      const flags = this.#mdevs.openCount[mdev] === 0 ? 0 : infoFlags;
      this.#settle(mdev, flags);
      into[mdev] = this.#changed(mdev, flags, state) ?? (this.#quiet[mdev] as DeviceObservation);
    }
    touched.clear();
    this.#vectors.touched.clear();
    return into;
  }

  #nextList(): DeviceObservation[] {
    const into = this.#lists.next();
    const { count } = this.#mdevs;
    if (into.length !== count) into.length = count;
    for (let mdev = 0; mdev < count; mdev += 1) into[mdev] = this.#quiet[mdev] as DeviceObservation;
    this.#last = into;
    this.#hasChanges = false;
    return into;
  }

  #settle(mdev: number, flags: number): void {
    const quiet = this.#quiet[mdev] as DeviceObservation;
    const enable = this.#mdevs.setUp[mdev] !== 0;
    if (quiet.enable === enable && quiet.msixInfoFlags === flags) return;
    const next = this.#quietOnes.next();
    next.enable = enable;
    next.msixInfoFlags = flags;
    this.#quiet[mdev] = next;
  }

  /** The mdev with the vectors whose state is not as it was observed last, or undefined where there are none. */
  #changed(mdev: number, flags: number, state: (vector: number) => number): DeviceObservation | undefined {
    const vectors = this.#vectors;
    let record: Record | undefined;
    for (let v = vectors.nextTouched(mdev, 0); v !== NONE; v = vectors.nextTouched(mdev, placeOf(v) + 1)) {
      const now = state(v);
      if (!vectors.report(v, now)) continue;
      record ??= this.#nextRecord();
      const change = this.#changes.next();
      change.vector = placeOf(v);
      change.state = now;
      record.changes.push(change);
    }
    if (record === undefined) return undefined;
    this.#hasChanges = true;
    record.observation.enable = this.#mdevs.setUp[mdev] !== 0;
    record.observation.msixInfoFlags = flags;
    record.observation.changes = record.changes.view();
    return record.observation;
  }

  #nextRecord(): Record {
    const record = this.#records.next();
    record.changes.clear();
    return record;
  }
}
