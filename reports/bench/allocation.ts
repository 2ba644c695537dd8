import type { BenchRow } from '../bench-json.ts';
import { type Allocator, type NamedAllocator, OURS, PEERS } from './allocators.ts';
import { type BenchPair, measureRows } from './turns.ts';

/** A small table, the largest of an MSI-X function, and one that no hardware has. */
const SIZES: readonly number[] = [64, 2048, 1 << 20];
/** Of 100 slots those that are taken while it is measured. */
const FILLS: readonly number[] = [50, 99];
/** Slots given back before as many are allocated again. */
const BURST = 64;
/** Of each piece of work, nearly. */
const OPERATIONS = 1 << 17;
const SECTION = 'lowest free slot';

/** Our allocation of the lowest free entry beside each structure that people would use instead. */
export async function allocationRows(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const slots of SIZES) {
    for (const fill of FILLS) {
      const work = burstsOf(slots, Math.floor((slots * fill) / 100));
      const what = `${OURS.name}, ${slots.toLocaleString('en')} slots, ${fill} % taken`;
      for (const peer of PEERS.filter(({ slotsMax }) => slots <= slotsMax)) {
        const pair: BenchPair = [what, await begin(OURS, work), peer.name, await begin(peer, work)];
        rows.push(...(await measureRows(SECTION, [pair])));
      }
    }
  }
  return rows;
}

/** Bursts of slots given back at random, each followed by as many allocations. */
export interface Bursts {
  readonly slots: number;
  /** Slots that are taken between two bursts. */
  readonly taken: number;
  /** What is given back, burst after burst; each is taken at that time. */
  readonly victims: Int32Array;
  /** All slots allocated, added up: what every structure must come to. */
  readonly sum: number;
}

/** Which slots are given back is settled before anything is measured. After a whole run all is as it was before. */
export function burstsOf(slots: number, taken: number): Bursts {
  const burst = Math.min(BURST, taken);
  const victims = new Int32Array(Math.floor(OPERATIONS / 2 / burst) * burst);
  let random = 1;
  let sum = 0;
  // The lowest slots are taken, so those given back are the lowest free ones and are all taken again.
  for (let at = 0; at < victims.length; at += burst) {
    const chosen = new Set<number>();
    while (chosen.size < burst) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      chosen.add(Math.floor((random / 2 ** 32) * taken));
    }
    victims.set([...chosen], at);
    for (const slot of chosen) sum += slot;
  }
  return { slots, taken, victims, sum };
}

let copies = 0;

/**
 * `run` in a copy of this module. An engine makes a loop fast for the structure that it has met there, and slow again
 * for the next one: each has a loop of its own, so that no figure depends on what has been measured before.
 */
async function ownRun(): Promise<typeof run> {
  copies += 1;
  const copy: { readonly run: typeof run } = await import(`${import.meta.url}?copy=${copies}`);
  return copy.run;
}

/** A structure filled as the bursts want it, and the work to be timed. */
async function begin({ name, make }: NamedAllocator, work: Bursts): Promise<() => number> {
  const runAlone = await ownRun();
  const allocator = make(work.slots);
  for (let slot = 0; slot < work.taken; slot += 1) allocator.allocate();
  return () => {
    const sum = runAlone(allocator, work);
    if (sum !== work.sum) throw new Error(`${name} allocated slots that add up to ${sum}, expected ${work.sum}`);
    return 2 * work.victims.length;
  };
}

/** Returns the slots allocated, added up. */
export function run(allocator: Allocator, { victims, taken }: Bursts): number {
  const burst = Math.min(BURST, taken);
  let sum = 0;
  for (let at = 0; at < victims.length; at += burst) {
    for (let place = at; place < at + burst; place += 1) allocator.free(victims[place] as number);
    for (let place = 0; place < burst; place += 1) sum += allocator.allocate();
  }
  return sum;
}
