import type { Breach } from './invariant.ts';

/** Who is told what is remembered, number by number. */
export interface Words {
  /** Takes the lowest 32 bits of a whole number. */
  put(word: number): void;
}

/** What is to be told of an operation that is remembered by its index; -1 stands for before the first. */
export type Label = (index: number) => number;

/**
 * What is remembered of one device from step to step, by fields that everybody sees: a test changes each, and looks
 * whether it is told and put back. Two of which the same is told cannot be told apart by any further step; words of a
 * breach may differ.
 */
export interface Memory<Self> {
  /** Remembers what another one does, after a step: what that step alone has shown is left out. */
  become(other: Self): void;
  /** Tells what is remembered of no one vector. */
  tell(words: Words, label: Label): void;
  /** Tells what is remembered of a vector: the same for two vectors of which the same is remembered. */
  tellVector(vector: number, words: Words, label: Label): void;
}

/** A fold that is called with one moment after the other. */
export interface Fold<At> {
  (moment: At): readonly Breach[];
  /** What it remembers, by which its run can go on in several ways. Left out where it remembers nothing. */
  readonly memory?: FoldMemory;
}

/** What a fold remembers of all devices. */
export interface FoldMemory {
  /** Returns what has it remember again what it does now, as often as one likes. */
  save(): PutBack;
  tell(place: number, words: Words, label: Label): void;
  tellVector(place: number, vector: number, words: Words, label: Label): void;
}

export type PutBack = () => void;

/** What is remembered of each device, by its place in the Config. */
export interface ByDevice<Item> {
  of(place: number): Item;
}

/** A fold that remembers something of each device. */
export function remembering<Item extends Memory<Item>, At>(
  make: () => Item,
  judge: (moment: At, memory: ByDevice<Item>) => readonly Breach[],
): Fold<At> {
  const memory = new DeviceMemories(make);
  return Object.assign((moment: At) => judge(moment, memory), { memory });
}

class DeviceMemories<Item extends Memory<Item>> implements FoldMemory, ByDevice<Item> {
  readonly #make: () => Item;
  readonly #items: Item[] = [];

  constructor(make: () => Item) {
    this.#make = make;
  }

  of(place: number): Item {
    const known = this.#items[place];
    if (known !== undefined) return known;
    const made = this.#make();
    this.#items[place] = made;
    return made;
  }

  save(): PutBack {
    const saved = this.#items.map((item) => {
      const copy = this.#make();
      copy.become(item);
      return copy;
    });
    return () => {
      for (let place = 0; place < this.#items.length; place += 1) this.of(place).become(saved[place] ?? this.#make());
    };
  }

  tell(place: number, words: Words, label: Label): void {
    this.of(place).tell(words, label);
  }

  tellVector(place: number, vector: number, words: Words, label: Label): void {
    this.of(place).tellVector(vector, words, label);
  }
}

/** Flags as the lowest bits of a number. */
export function flags(first: boolean, second = false, third = false, fourth = false): number {
  return (first ? 1 : 0) + (second ? 2 : 0) + (third ? 4 : 0) + (fourth ? 8 : 0);
}

/** Tells a text, which another one that is longer does not begin with. */
export function tellText(text: string, words: Words): void {
  words.put(text.length);
  for (let place = 0; place < text.length; place += 1) words.put(text.charCodeAt(place));
}
