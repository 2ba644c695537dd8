import {
  ALLOCATED,
  ARMED,
  type Descriptor,
  type DeviceObservation,
  type HostPasid,
  IMS_IGNORE,
  IMS_MASK,
  IMS_PASID_ENABLE,
  IMS_PENDING,
  type ImsEntry,
  type MdevState,
  type MsixPerm,
  PASID_SHIFT,
  type ParentObservation,
  PENDING,
  UNMASKED,
  type VectorChange,
} from '#vocabulary';
import { mdevInfoFlags } from './irq-info.ts';
import type { Entry, Mdev, ParentState, PasidState, Perm, Vector, Work } from './parent.ts';

/** What the observations so far have said. Source: ours, as observations tell differences. */
export interface Reported {
  readonly entries: Map<number, Entry>;
  readonly pasids: Map<number, PasidState>;
  readonly work: Map<number, Work>;
  /** By device. */
  readonly mdevs: Map<number, string>;
  /** By device, and then vector. */
  readonly perms: Map<string, Perm>;
  readonly vectors: Map<string, number>;
}

/** Source: ours, where a scenario starts. */
export function nothingReported(): Reported {
  return {
    entries: new Map(),
    pasids: new Map(),
    work: new Map(),
    mdevs: new Map(),
    perms: new Map(),
    vectors: new Map(),
  };
}

/** Source: ours, for those who try several operations in one state. */
export function copyOfReported(reported: Reported): Reported {
  return {
    entries: new Map(reported.entries),
    pasids: new Map(reported.pasids),
    work: new Map(reported.work),
    mdevs: new Map(reported.mdevs),
    perms: new Map(reported.perms),
    vectors: new Map(reported.vectors),
  };
}

/** The hardware's and the driver's side. Source: DSA 3.0, 9.2. */
export function observeParent(parent: ParentState, reported: Reported): ParentObservation {
  return {
    entries: differences(parent.entries, reported.entries, entryRecord),
    pasids: differences(parent.pasids, reported.pasids, pasidRecord),
    mdevs: parent.mdevs.flatMap((mdev) => observeLife(mdev, reported.mdevs)),
    perms: parent.mdevs.flatMap((mdev) => observePerms(mdev, reported.perms)),
    descriptors: differences(parent.work, reported.work, workRecord),
  };
}

/**
 * What is now and was not reported, and what was and is no more; the report is brought up to date.
 * Source: ours, how observations tell.
 */
function differences<State, Seen>(
  now: ReadonlyMap<number, State>,
  reported: Map<number, State>,
  recordOf: (key: number, state: State | undefined) => Seen,
): readonly Seen[] {
  const changed: number[] = [];
  for (const key of reported.keys()) if (!now.has(key)) changed.push(key);
  for (const [key, state] of now) if (reported.get(key) !== state) changed.push(key);
  const records: Seen[] = [];
  for (const key of changed.sort((left, right) => left - right)) {
    const state = now.get(key);
    const before = reported.get(key);
    if (state === undefined) reported.delete(key);
    else reported.set(key, state);
    // What was written anew may say the same as before.
    if (before !== undefined && JSON.stringify(recordOf(key, before)) === JSON.stringify(recordOf(key, state)))
      continue;
    records.push(recordOf(key, state));
  }
  return records;
}

/** Source: DSA 3.0, 9.2. */
function entryRecord(entry: number, state: Entry | undefined): ImsEntry {
  if (state === undefined) return { entry, control: IMS_MASK, data: 0, device: -1, vector: -1, handle: false };
  const { device, vector, mask, pending, ignore, pasid, data, handle } = state;
  const bits =
    (mask ? IMS_MASK : 0) +
    (pending ? IMS_PENDING : 0) +
    (ignore ? IMS_IGNORE : 0) +
    (pasid === 0 ? 0 : IMS_PASID_ENABLE);
  return { entry, control: bits + pasid * 2 ** PASID_SHIFT, data, device, vector, handle };
}

/** Source: "docs: Document IOASID APIs", 2020. */
function pasidRecord(pasid: number, state: PasidState | undefined): HostPasid {
  if (state === undefined) return { pasid, state: 'free', vm: -1, guest: 0, references: 0 };
  const { vm, guest, holders, users } = state;
  return { pasid, state: holders > 0 ? 'active' : 'free-pending', vm, guest, references: holders + users };
}

/** Source: ours, how observations tell. */
function workRecord(descriptor: number, state: Work | undefined): Descriptor {
  if (state === undefined) return { descriptor, phase: 'over', device: -1, pasid: 0, entry: -1 };
  const { started, device, pasid, entry } = state;
  return { descriptor, phase: started ? 'started' : 'queued', device, pasid, entry: entry ?? -1 };
}

/** Source: ours, how observations tell. */
function observeLife({ index, gone, descriptors, defaultPasid }: Mdev, reported: Map<number, string>): MdevState[] {
  const life = gone ? 'gone' : descriptors > 0 ? 'open' : 'created';
  const said = `${life} ${defaultPasid}`;
  if ((reported.get(index) ?? 'gone 0') === said) return [];
  reported.set(index, said);
  return [{ device: index, life, defaultPasid }];
}

/** Source: DSA 3.0, 9.2. */
function observePerms({ index, vectors }: Mdev, reported: Map<string, Perm>): MsixPerm[] {
  const changed: MsixPerm[] = [];
  for (const [vector, { perm }] of vectors.entries()) {
    const key = `${index}.${vector}`;
    const before = reported.get(key);
    if (before === perm) continue;
    reported.set(key, perm);
    const value = permRegister(perm);
    if (value !== (before === undefined ? 0 : permRegister(before))) changed.push({ device: index, vector, value });
  }
  return changed;
}

function permRegister({ pasidEnable, pasid, ignore }: Perm): number {
  return (ignore ? IMS_IGNORE : 0) + (pasidEnable ? IMS_PASID_ENABLE : 0) + pasid * 2 ** PASID_SHIFT;
}

/** The driver's side of one mdev, as of any device. Source: PCIe 6.0, 7.7.2, as far as the mdev shows it. */
export function observeMdev(parent: ParentState, mdev: Mdev, reported: Reported): DeviceObservation {
  const changes: VectorChange[] = [];
  for (const [vector, state] of mdev.vectors.entries()) {
    const key = `${mdev.index}.${vector}`;
    const now = mdevVectorState(parent, state);
    if (now === (reported.vectors.get(key) ?? 0)) continue;
    reported.vectors.set(key, now);
    changes.push({ vector, state: now });
  }
  const msixInfoFlags = mdev.descriptors === 0 ? 0 : mdevInfoFlags(parent);
  return { enable: mdev.setUp, functionMask: false, msixInfoFlags, registers: 0, changes };
}

/** Source: ours, as the vectors of any device are told. */
function mdevVectorState(parent: ParentState, vector: Vector): number {
  return (
    (vector.entry === null ? 0 : ALLOCATED) +
    (vector.trigger === null ? 0 : ARMED) +
    (vector.masked || parent.tableHidden ? 0 : UNMASKED) +
    (isPending(parent, vector) ? PENDING : 0)
  );
}

/** Whether the driver shows a pending bit. Source: DSA 3.0, 7.5.4: it is built from the entries' own. */
export function isPending({ entries }: ParentState, { pending, entry }: Vector): boolean {
  return pending || (entry !== null && entries.get(entry)?.pending === true);
}
