import type { Entry, Mdev, ParentState, PasidState, Work } from './ims/parent.ts';
import { copyOfReported, type Reported } from './ims/parent-observation.ts';
import type { StateMap } from './ims/state-map.ts';
import type { MdevMachine } from './mdev-machine.ts';
import { putBackMap, putBackOpen } from './put-back.ts';
import type { Eventfd } from './vfio/eventfd.ts';
import { bits, putNumber, type Words } from './words.ts';

// For those who try several operations in one state: what a machine with mediated devices and without a VMM is between
// two steps, to be put back later, and as numbers.

/** What a machine was between two steps. It stays so while the machine goes on, and only fits that machine. */
export interface SavedMdevs {
  readonly parent: Readonly<
    Pick<ParentState, 'bindings' | 'failing'> & {
      readonly entries: ReadonlyMap<number, Entry>;
      readonly pasids: ReadonlyMap<number, PasidState>;
      readonly work: ReadonlyMap<number, Work>;
      readonly open: readonly Eventfd[];
      readonly mdevs: readonly Readonly<Omit<Mdev, 'index' | 'facts' | 'touched'>>[];
    }
  >;
  readonly armed: MdevMachine['armed'];
  readonly reported: Reported;
}

/** What the machine is, between two steps. What is in the maps and lists never changes, it is replaced. */
export function saveMdevs({ vmm, parent, armed, reported }: MdevMachine): SavedMdevs {
  if (vmm !== null) throw new Error('a VMM is not saved');
  return {
    parent: {
      entries: new Map(parent.entries),
      pasids: new Map(parent.pasids),
      bindings: new Map(parent.bindings),
      work: new Map(parent.work),
      failing: parent.failing,
      open: parent.eventfds.open.values(),
      mdevs: parent.mdevs.map(({ gone, descriptors, defaultPasid, setUp, vectors }) => ({
        gone,
        descriptors,
        defaultPasid,
        setUp,
        vectors: vectors.slice(),
      })),
    },
    armed,
    reported: copyOfReported(reported),
  };
}

/** Makes the machine what it was, between two steps: it goes on as it would have then. */
export function restoreMdevs(machine: MdevMachine, saved: SavedMdevs): void {
  const { parent, reported } = machine;
  const was = saved.parent;
  putBackStates(parent.entries, was.entries);
  putBackStates(parent.pasids, was.pasids);
  putBackMap(parent.bindings, was.bindings);
  putBackStates(parent.work, was.work);
  parent.failing = was.failing;
  putBackOpen(parent.eventfds, was.open);
  for (const [index, mdev] of parent.mdevs.entries()) restoreMdev(mdev, was.mdevs[index]);
  machine.armed = saved.armed;
  putBackMap(reported.entries, saved.reported.entries);
  putBackMap(reported.pasids, saved.reported.pasids);
  putBackMap(reported.work, saved.reported.work);
  putBackMap(reported.mdevs, saved.reported.mdevs);
  for (const [device, perms] of reported.perms.entries()) putBackMap(perms, saved.reported.perms[device] ?? NOTHING);
  for (const [device, states] of reported.vectors.entries())
    putBackMap(states, saved.reported.vectors[device] ?? NOTHING);
}

const NOTHING = new Map<number, never>();

/** What is put back is nothing to look at. */
function putBackStates<State>(states: StateMap<State>, was: ReadonlyMap<number, State>): void {
  putBackMap(states, was);
  states.takeTouched();
}

function restoreMdev(mdev: Mdev, was: SavedMdevs['parent']['mdevs'][number] | undefined): void {
  if (was === undefined) throw new Error(`device ${mdev.index} was not saved`);
  mdev.gone = was.gone;
  mdev.descriptors = was.descriptors;
  mdev.defaultPasid = was.defaultPasid;
  mdev.setUp = was.setUp;
  for (const [vector, state] of was.vectors.entries()) mdev.vectors[vector] = state;
}

/** Tells the state between two steps: from equal ones of one Config everything goes on alike. */
export function putMdevs({ parent }: MdevMachine, words: Words): void {
  putNumber(parent.failing, words);
  putMap(parent.entries, words, ({ device, vector, mask, pending, ignore, handle, pasid, data }) => {
    words.put(device);
    words.put(vector);
    words.put(bits(1, mask, pending, ignore, handle));
    words.put(pasid);
    words.put(data);
  });
  putMap(parent.pasids, words, ({ vm, guest, holders, users }) => {
    words.put(vm);
    words.put(guest);
    words.put(holders);
    words.put(users);
  });
  for (const vm of ascending(parent.bindings)) {
    const bound = parent.bindings.get(vm);
    // A VM that has given all back is as one that has bound none.
    if (bound === undefined || bound.size === 0) continue;
    words.put(vm);
    putMap(bound, words, (pasid) => words.put(pasid));
  }
  words.put(NONE);
  for (const mdev of parent.mdevs) putMdev(mdev, words);
  putMap(parent.work, words, ({ device, pasid, guestPasid, handle, rci, started, entry }) => {
    words.put(device);
    words.put(pasid);
    words.put(guestPasid);
    words.put(handle);
    words.put(bits(1, rci, started, false, false));
    words.put(entry ?? NONE);
  });
}

function putMdev({ gone, descriptors, defaultPasid, setUp, vectors }: Mdev, words: Words): void {
  words.put(bits(1, gone, setUp, false, false));
  putNumber(descriptors, words);
  words.put(defaultPasid);
  for (const { perm, masked, pending, trigger, entry, told } of vectors) {
    words.put(
      bits(1, perm.pasidEnable, perm.ignore, masked, pending) +
        bits(0x10, trigger !== null, trigger?.open === true, false, false),
    );
    words.put(perm.pasid);
    words.put(entry ?? NONE);
    words.put(told ?? NONE);
    if (trigger !== null) putNumber(trigger.number, words);
  }
}

/** No entry of the parent, no handle and no VM has this number. */
const NONE = -1;

function putMap<Value>(map: ReadonlyMap<number, Value>, words: Words, put: (value: Value) => void): void {
  words.put(map.size);
  for (const key of ascending(map)) {
    const value = map.get(key);
    if (value === undefined) continue;
    words.put(key);
    put(value);
  }
}

/** Maps remember the order in which they were filled, which means nothing. */
function ascending(map: ReadonlyMap<number, unknown>): readonly number[] {
  if (map.size === 0) return NO_KEYS;
  const keys = [...map.keys()];
  for (let place = 1; place < keys.length; place += 1)
    if (Number(keys[place - 1]) > Number(keys[place])) return keys.sort((left, right) => left - right);
  return keys;
}

const NO_KEYS: readonly number[] = [];
