import {
  type Config,
  type Descriptor,
  type GuestSubmit,
  type HostPasid,
  IMS_MASK,
  type ImsEntry,
  type MdevState,
  PENDING,
} from '#vocabulary';
import { canBe } from './by-vector.ts';
import { flags, type Words } from './memory.ts';

/** A machine whose devices are mediated. */
export type MdevConfig = Config & Required<Pick<Config, 'mdev' | 'parent'>>;

/** A trigger whose eventfd the user has closed: it signals unseen. */
export const UNSEEN = -1;

/**
 * What the steps so far say of one mdev. By vector from 0 on; a list may end early, and what it leaves out is 0.
 * `told` and `triggers` are one more than the number that they mean, as 0 stands for none.
 */
export interface FollowedMdev {
  life: MdevState['life'];
  /** Descriptors of the device that are open, as the calls say. */
  fds: number;
  defaultPasid: number;
  /** MSI-X Enable. */
  enable: boolean;
  infoFlags: number;
  /** ALLOCATED, ARMED, UNMASKED and PENDING, added up. */
  states: number[];
  /** MSIX_PERM as the guest reads it, and as it has written it. */
  perms: number[];
  written: number[];
  /** The eventfd that gets the signals: its number and 1, or UNSEEN. */
  triggers: number[];
  /** The entry that backs the vector: its index and 1. */
  backing: number[];
  /** The host PASID that an armed vector's entry was to carry when it was last synchronised; 0 for a closed entry. */
  sampled: number[];
  /** MSIX_PERM as it was then. */
  sampledPerms: number[];
  /** The handle that the guest was told: it and 1. Negative where it may have been revoked since. */
  told: number[];
  /** 1 for a handle that was requested and neither given back nor lost since. */
  live: number[];
  /** The operation that last changed something of this about the vector: its index and 1. Told nobody. */
  at: number[];
}

/** A descriptor in flight: what is seen of it, what its guest has asked, and in which operations. */
export interface FollowedDescriptor extends Descriptor {
  readonly asked: Pick<GuestSubmit, 'queue' | 'pasid' | 'handle' | 'rci'>;
  readonly submittedAt: number;
  readonly startedAt: number;
}

/** A descriptor that will be run during the next operation of a guest on the mdev. */
export interface FollowedArm {
  readonly device: number;
  readonly descriptor: number;
}

/**
 * What the steps so far say of a parent and its mdevs: plain data, of which a step copies what it changes and shares
 * the rest with what was followed before it.
 */
export interface FollowedParent {
  /** By index. What the list leaves out is clean and nobody's. */
  entries: ImsEntry[];
  /** By PASID; 0 stands for none. What the list leaves out is free. */
  pasids: HostPasid[];
  /** In the order of the Config. */
  mdevs: FollowedMdev[];
  /** Those in flight, by ascending number. */
  descriptors: readonly FollowedDescriptor[];
  arms: readonly FollowedArm[];
  /** Whether somebody has asked for an allocation to fail, and none has been seen to yet. */
  allocationMayFail: boolean;
  /** The operation that last changed the entry, or the PASID: its index and 1. Told nobody. */
  entriesAt: number[];
  pasidsAt: number[];
}

/** Of nothing that was seen yet. */
export function unseenParent({ devices }: MdevConfig): FollowedParent {
  return {
    entries: [],
    pasids: [freePasid(0)],
    mdevs: devices.map(unseenMdev),
    descriptors: [],
    arms: [],
    allocationMayFail: false,
    entriesAt: [],
    pasidsAt: [],
  };
}

const NONE: number[] = [];

const UNSEEN_MDEV: FollowedMdev = {
  life: 'gone',
  fds: 0,
  defaultPasid: 0,
  enable: false,
  infoFlags: 0,
  states: NONE,
  perms: NONE,
  written: NONE,
  triggers: NONE,
  backing: NONE,
  sampled: NONE,
  sampledPerms: NONE,
  told: NONE,
  live: NONE,
  at: NONE,
};

function unseenMdev(): FollowedMdev {
  return copiedMdev(UNSEEN_MDEV);
}

export function cleanEntry(entry: number): ImsEntry {
  return { entry, control: IMS_MASK, data: 0, device: -1, vector: -1, handle: false };
}

export function freePasid(pasid: number): HostPasid {
  return { pasid, state: 'free', vm: -1, guest: 0, references: 0 };
}

/** The lists of an mdev. */
export type ListName =
  | 'states'
  | 'perms'
  | 'written'
  | 'triggers'
  | 'backing'
  | 'sampled'
  | 'sampledPerms'
  | 'told'
  | 'live';

/** One step: what was followed before it, and after it, which is the same until something is changed. */
export interface Update {
  readonly config: MdevConfig;
  readonly before: FollowedParent;
  readonly after: FollowedParent;
  /** Index of the operation; -1 for what is seen before the first. */
  readonly index: number;
}

/** An mdev of what is followed after the step, to be changed. */
export function changedMdev({ before, after }: Update, device: number): FollowedMdev {
  const mdev = mdevOf(after, device);
  if (mdev !== before.mdevs[device]) return mdev;
  if (after.mdevs === before.mdevs) after.mdevs = before.mdevs.slice();
  const copy = copiedMdev(mdev);
  after.mdevs[device] = copy;
  return copy;
}

/**
 * Sets a number about a vector, and notes that this operation has changed it. Of a vector that no device can have
 * nothing is remembered, whatever a system says of it.
 */
export function change(update: Update, device: number, list: ListName, vector: number, value: number): void {
  if (!canBe(vector)) return;
  if (at(mdevOf(update.after, device)[list], vector) === value) return;
  const old = mdevOf(update.before, device);
  const mdev = changedMdev(update, device);
  if (mdev[list] === old[list]) mdev[list] = mdev[list].slice();
  if (mdev.at === old.at) mdev.at = mdev.at.slice();
  put(mdev[list], vector, value);
  put(mdev.at, vector, update.index + 1);
}

/** Sets every number of some lists to 0. */
export function clear(update: Update, device: number, ...lists: readonly ListName[]): void {
  for (const list of lists)
    for (let vector = mdevOf(update.after, device)[list].length - 1; vector >= 0; vector -= 1)
      change(update, device, list, vector, 0);
}

/** One of its own, which shares the lists until they are changed. */
function copiedMdev(mdev: FollowedMdev): FollowedMdev {
  return {
    life: mdev.life,
    fds: mdev.fds,
    defaultPasid: mdev.defaultPasid,
    enable: mdev.enable,
    infoFlags: mdev.infoFlags,
    states: mdev.states,
    perms: mdev.perms,
    written: mdev.written,
    triggers: mdev.triggers,
    backing: mdev.backing,
    sampled: mdev.sampled,
    sampledPerms: mdev.sampledPerms,
    told: mdev.told,
    live: mdev.live,
    at: mdev.at,
  };
}

/**
 * Tells all that was seen and all that is remembered, without the indices of operations: the same of two followed
 * parents that no further step can tell apart.
 */
export function tellParent(parent: FollowedParent, words: Words): void {
  const { entries, pasids, mdevs, descriptors, arms, allocationMayFail } = parent;
  words.put(flags(allocationMayFail));
  for (const { entry, control, data, device, vector, handle } of entries) {
    if (control === IMS_MASK && data === 0 && device === -1 && !handle) continue;
    words.put(entry);
    words.put(control);
    words.put(data);
    words.put(device);
    words.put(vector);
    words.put(flags(handle));
  }
  words.put(END);
  for (const { pasid, state, vm, guest, references } of pasids) {
    if (state === 'free') continue;
    words.put(pasid);
    words.put(flags(state === 'active'));
    words.put(vm);
    words.put(guest);
    words.put(references);
  }
  words.put(END);
  for (const mdev of mdevs) tellMdev(mdev, words);
  for (const { descriptor, phase, device, pasid, entry, asked } of descriptors) {
    words.put(descriptor);
    words.put(flags(phase === 'started', asked.queue === 'shared', asked.rci === false));
    words.put(device);
    words.put(pasid);
    words.put(entry);
    words.put(asked.pasid);
    words.put(asked.handle);
  }
  words.put(END);
  for (const { device, descriptor } of arms) {
    words.put(device);
    words.put(descriptor);
  }
  words.put(END);
}

/** No entry, PASID, descriptor or mdev has this number. */
const END = -1;

const LIVES: readonly MdevState['life'][] = ['gone', 'created', 'open'];

function tellMdev(mdev: FollowedMdev, words: Words): void {
  const { life, fds, defaultPasid, enable, infoFlags } = mdev;
  words.put(flags(enable) + LIVES.indexOf(life) * 2);
  words.put(fds);
  words.put(defaultPasid);
  words.put(infoFlags);
  tellList(mdev.states, words);
  tellList(mdev.perms, words);
  tellList(mdev.written, words);
  tellList(mdev.triggers, words);
  tellList(mdev.sampled, words);
  tellList(mdev.sampledPerms, words);
  tellList(mdev.told, words);
  tellList(mdev.live, words);
}

function tellList(list: readonly number[], words: Words): void {
  words.put(list.length);
  for (let place = 0; place < list.length; place += 1) words.put(list[place] as number);
}

/** The number at a place of a list that may end early. */
export function at(list: readonly number[], place: number): number {
  return list[place] ?? 0;
}

/** Sets a number in a list that may end early, and then does, so that equal lists have equal length. */
export function put(list: number[], place: number, value: number): void {
  if (value === 0 && place >= list.length) return;
  while (list.length < place) list.push(0);
  list[place] = value;
  while (list.length > 0 && list[list.length - 1] === 0) list.pop();
}

export function mdevOf({ mdevs }: FollowedParent, device: number): FollowedMdev {
  const mdev = mdevs[device];
  if (mdev === undefined) throw new Error(`the Config has no device ${device}`);
  return mdev;
}

/** Whether a handle of the vector that owns an entry can be used. */
export function isLive({ mdevs }: FollowedParent, { device, vector }: ImsEntry): boolean {
  return at(mdevs[device]?.live ?? [], vector) === 1;
}

/** Whether the Config has a device: a system may speak of another one. */
export function hasMdev({ mdevs }: FollowedParent, device: number): boolean {
  return mdevs[device] !== undefined;
}

export function entryOf({ entries }: FollowedParent, entry: number): ImsEntry {
  return entries[entry] ?? cleanEntry(entry);
}

/** The entry that backs a vector. */
export function backingEntry(parent: FollowedParent, device: number, vector: number): ImsEntry | undefined {
  return parent.entries[at(mdevOf(parent, device).backing, vector) - 1];
}

export function pasidOf({ pasids }: FollowedParent, pasid: number): HostPasid {
  return pasids[pasid] ?? freePasid(pasid);
}

/** The host PASID that a VM has bound to one of its own; 0 for none. */
export function boundPasid({ pasids }: FollowedParent, vm: number, guest: number): number {
  if (guest === 0) return 0;
  for (const pasid of pasids)
    if (pasid.guest === guest && pasid.vm === vm && pasid.state === 'active') return pasid.pasid;
  return 0;
}

export function descriptorOf({ descriptors }: FollowedParent, number: number): FollowedDescriptor | undefined {
  for (const descriptor of descriptors) if (descriptor.descriptor === number) return descriptor;
  return undefined;
}

/** The VM of a device; -1 for a device that there is not. */
export function vmOf({ devices }: MdevConfig, device: number): number {
  return devices[device]?.mdev?.vm ?? -1;
}

export function isPending({ states }: FollowedMdev, vector: number): boolean {
  return (at(states, vector) & PENDING) !== 0;
}

/** One more than the highest vector of which anything is remembered. */
export function vectorsSeen(before: FollowedMdev, after: FollowedMdev): number {
  return Math.max(before.states.length, after.states.length, before.backing.length, after.backing.length);
}
