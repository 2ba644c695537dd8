import type { Breach } from './invariant.ts';

/** What is to be told of an operation that is remembered by its index; -1 stands for before the first. */
export type Label = (index: number) => string;

/**
 * What is remembered of one device from step to step. Two of which all keys are equal cannot be told apart by any
 * further step; words of a breach may differ.
 */
export interface Memory<Self> {
  /** An independent copy, in which the run goes on otherwise. */
  copy(): Self;
  /** What is remembered of no one vector, as text. */
  key(label: Label): string;
  /** What is remembered of a vector, as text: equal for two vectors of which the same is remembered. */
  keyOf(vector: number, label: Label): string;
}

/** A fold that is called with one moment after the other. */
export interface Fold<At> {
  (moment: At): readonly Breach[];
  /** What it remembers, by which its run can go on in several ways. Left out where it remembers nothing. */
  readonly memory?: FoldMemory<At>;
}

/** What a fold remembers of all devices, with the fold. */
export interface FoldMemory<At> {
  judge(moment: At): readonly Breach[];
  copy(): FoldMemory<At>;
  key(place: number, label: Label): string;
  keyOf(place: number, vector: number, label: Label): string;
}

/** What is remembered of each device, by its place in the Config. */
export interface ByDevice<Item> {
  of(place: number): Item;
}

type Judge<Item, At> = (moment: At, memory: ByDevice<Item>) => readonly Breach[];

/** A fold that remembers something of each device. */
export function remembering<Item extends Memory<Item>, At>(make: () => Item, judge: Judge<Item, At>): Fold<At> {
  const memory = new DeviceMemories(make, judge, []);
  return Object.assign((moment: At) => judge(moment, memory), { memory });
}

class DeviceMemories<Item extends Memory<Item>, At> implements FoldMemory<At>, ByDevice<Item> {
  readonly #make: () => Item;
  readonly #judge: Judge<Item, At>;
  readonly #items: Item[];

  constructor(make: () => Item, judge: Judge<Item, At>, items: Item[]) {
    this.#make = make;
    this.#judge = judge;
    this.#items = items;
  }

  of(place: number): Item {
    const known = this.#items[place];
    if (known !== undefined) return known;
    const made = this.#make();
    this.#items[place] = made;
    return made;
  }

  judge(moment: At): readonly Breach[] {
    return this.#judge(moment, this);
  }

  copy(): DeviceMemories<Item, At> {
    return new DeviceMemories(
      this.#make,
      this.#judge,
      this.#items.map((item) => item.copy()),
    );
  }

  key(place: number, label: Label): string {
    return this.of(place).key(label);
  }

  keyOf(place: number, vector: number, label: Label): string {
    return this.of(place).keyOf(vector, label);
  }
}

/** Flags as one character, so that keys stay short. */
export function flagsKey(first: boolean, second = false, third = false, fourth = false): string {
  return String.fromCharCode(0x100 + (first ? 1 : 0) + (second ? 2 : 0) + (third ? 4 : 0) + (fourth ? 8 : 0));
}
