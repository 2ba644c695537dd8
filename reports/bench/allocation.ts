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
      const pairs = PEERS.filter(({ slotsMax }) => slots <= slotsMax).map((peer): BenchPair => {
        const size = `${slots.toLocaleString('en')} slots, ${fill} % taken`;
        return [`${OURS.name}, ${size}`, begin(OURS, work), peer.name, begin(peer, work)];
      });
      rows.push(...(await measureRows(SECTION, pairs)));
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

/** A structure filled as the bursts want it, and the work to be timed. */
function begin({ name, make }: NamedAllocator, work: Bursts): () => number {
  const allocator = make(work.slots);
  for (let slot = 0; slot < work.taken; slot += 1) allocator.allocate();
  return () => {
    const sum = run(allocator, work);
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
