import type { Random } from 'fast-check';
import type { MdevMemory, ParentMemory } from './mdev-memory.ts';
import { boundIn, deviceOfPlace, entryOf, freeEntry, mdevMemory, NOBODY } from './mdev-memory.ts';
import type { MdevSwarm } from './mdev-swarm.ts';
import { drawOddPasid } from './mdev-swarm.ts';
import { chance, pick } from './random.ts';

/** Handles are 16 bits. */
const HANDLE_MAX = 0xffff;

/** What the numbers of one scenario are drawn by. */
export interface Scene {
  readonly random: Random;
  readonly swarm: MdevSwarm;
  readonly memory: ParentMemory;
}

export function told({ memory }: Scene, device: number): MdevMemory {
  return mdevMemory(memory, device);
}

export function drawDevice({ random, memory }: Scene): number {
  return memory.mdevs.length === 1 ? 0 : random.nextInt(0, memory.mdevs.length - 1);
}

/** An mdev of another VM, where there is one; else another one, if there is one. */
export function drawOther(scene: Scene, device: number): number {
  const { random, memory } = scene;
  const places = memory.mdevs.map((_, place) => place).filter((place) => place !== device);
  const strangers = places.filter((place) => told(scene, place).vm !== told(scene, device).vm);
  if (strangers.length > 0 && !chance(random, 10)) return pick(random, strangers);
  return places.length > 0 ? pick(random, places) : device;
}

/** Mostly a vector with an entry, sometimes the driver's own, rarely one past the table. */
export function drawVector(scene: Scene, device: number): number {
  const { random } = scene;
  const { size } = told(scene, device);
  const choice = random.nextInt(0, 29);
  if (choice === 0) return size;
  return choice < 4 ? 0 : drawIms(scene, device);
}

/** A vector backed by an entry: one that has a trigger, or one of the first. 0 where the mdev has no such vector. */
export function drawIms(scene: Scene, device: number): number {
  const { random } = scene;
  const { size, armed } = told(scene, device);
  const used = [...armed].filter((vector) => vector > 0);
  if (used.length > 0 && chance(random, 65)) return pick(random, used);
  return size === 1 ? 0 : random.nextInt(1, chance(random, 70) ? Math.min(size - 1, 3) : size - 1);
}

/** A vector that its guest can have an event of, where there is one. */
export function drawServed(scene: Scene, device: number): number {
  const { random, memory } = scene;
  const { armed, told: handles } = told(scene, device);
  const isKnown = (vector: number): boolean => memory.config.parent.handles === 'index' || handles.has(vector);
  const served = [...armed].filter((vector) => vector > 0 && isKnown(vector));
  return served.length > 0 && chance(random, 85) ? pick(random, served) : drawIms(scene, device);
}

/** Whether a vector of the mdev can have an event. */
export function hasServed(scene: Scene, device: number): boolean {
  return [...told(scene, device).armed].some((vector) => vector > 0);
}

/** An mdev of which a vector can have an event, where there is one. */
export function drawServing(scene: Scene, device: number): number {
  const serving = scene.memory.mdevs.map((_, place) => place).filter((place) => hasServed(scene, place));
  return serving.length > 0 ? pick(scene.random, serving) : device;
}

/** A guest PASID for anything: one that is bound, in its VM or another, or one to come back to. */
export function drawPasid(scene: Scene, device: number): number {
  const { random, swarm, memory } = scene;
  const choice = random.nextInt(0, 39);
  if (choice === 0) return drawOddPasid(random);
  const own = [...boundIn(memory, device)];
  if (choice < 24 && own.length > 0) return pick(random, own);
  return pick(random, swarm.pasids);
}

/** A guest PASID that its VM does not have, as a rule. */
export function drawNewPasid(scene: Scene, device: number): number {
  const { random, swarm, memory } = scene;
  if (random.nextInt(0, 24) === 0) return drawOddPasid(random);
  const own = boundIn(memory, device);
  const fresh = swarm.pasids.filter((pasid) => !own.has(pasid));
  return fresh.length > 0 && !chance(random, 5) ? pick(random, fresh) : pick(random, swarm.pasids);
}

/** What a guest would submit with: the handle it was told, or the entry it must be. */
export function ownHandle({ memory }: Scene, device: number, vector: number): number {
  const handle = mdevMemory(memory, device).told.get(vector) ?? entryOf(memory, device, vector);
  return handle ?? freeEntry(memory) ?? 0;
}

/** A handle from anywhere: its own, another's, nobody's, or no handle at all. */
export function drawHandle(scene: Scene, device: number): number {
  const { random, memory } = scene;
  const choice = random.nextInt(0, 49);
  if (choice === 0) return HANDLE_MAX;
  if (choice === 1) return memory.config.parent.entries;
  if (choice < 5) return random.nextInt(0, 5);
  if (choice < 12) return strangeHandle(scene, device);
  if (choice < 17) return random.nextInt(0, Math.min(memory.config.parent.entries, 6) - 1);
  return ownHandle(scene, device, drawServed(scene, device));
}

/** The index of an entry that is another mdev's, of another VM where there is one; else any low one. */
export function strangeHandle(scene: Scene, device: number): number {
  const { random, memory } = scene;
  const theirs = memory.entries.flatMap((place, entry) =>
    place !== NOBODY && deviceOfPlace(place) !== device ? [{ entry, vm: told(scene, deviceOfPlace(place)).vm }] : [],
  );
  const strange = theirs.filter(({ vm }) => vm !== told(scene, device).vm);
  const from = strange.length > 0 ? strange : theirs;
  if (from.length > 0) return pick(random, from).entry;
  return random.nextInt(0, Math.min(memory.config.parent.entries, 4) - 1);
}

/** A name for a descriptor that is not in flight, the lowest mostly. */
export function freshDescriptor({ random, memory: { inFlight } }: Scene): number {
  let lowest = 0;
  while (inFlight.has(lowest)) lowest++;
  return chance(random, 10) ? lowest + 1 : lowest;
}
