import {
  ALLOCATED,
  ARMED,
  type Descriptor,
  type DeviceObservation,
  type GuestObservation,
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
import { added } from '../added.ts';
import { mdevInfoFlags } from './irq-info.ts';
import {
  type Entry,
  type Mdev,
  type ParentState,
  type PasidState,
  type Perm,
  type Vector,
  vectorAt,
  type Work,
} from './parent.ts';
import type { StateMap } from './state-map.ts';

/** What a PASID of 1 is worth in a control word. */
const PASID_UNIT = 2 ** PASID_SHIFT;

/** What the observations so far have said. Source: ours, as observations tell differences. */
export interface Reported {
  readonly entries: Map<number, Entry>;
  readonly pasids: Map<number, PasidState>;
  readonly work: Map<number, Work>;
  /** By device. */
  readonly mdevs: Map<number, MdevState>;
  /** By device, and then vector. */
  readonly perms: readonly Map<number, Perm>[];
  readonly vectors: readonly Map<number, number>[];
}

/** Source: ours, where a scenario starts. */
export function nothingReported(devices: number): Reported {
  return {
    entries: new Map(),
    pasids: new Map(),
    work: new Map(),
    mdevs: new Map(),
    perms: Array.from({ length: devices }, () => new Map()),
    vectors: Array.from({ length: devices }, () => new Map()),
  };
}

/** Source: ours, for those who try several operations in one state. */
export function copyOfReported(reported: Reported): Reported {
  return {
    entries: new Map(reported.entries),
    pasids: new Map(reported.pasids),
    work: new Map(reported.work),
    mdevs: new Map(reported.mdevs),
    perms: reported.perms.map((perms) => new Map(perms)),
    vectors: reported.vectors.map((vectors) => new Map(vectors)),
  };
}

/** The hardware's and the driver's side. Source: DSA 3.0, 9.2. */
export function observeParent(parent: ParentState, reported: Reported): ParentObservation {
  return {
    entries: differences(parent.entries, reported.entries, entryRecord),
    pasids: differences(parent.pasids, reported.pasids, pasidRecord),
    mdevs: observeLives(parent, reported),
    perms: observePerms(parent, reported),
    descriptors: differences(parent.work, reported.work, workRecord),
  };
}

/**
 * What is now and was not reported, and what was and is no more; the report is brought up to date.
 * Source: ours, how observations tell.
 */
function differences<State, Seen extends object>(
  now: StateMap<State>,
  reported: Map<number, State>,
  recordOf: (key: number, state: State | undefined) => Seen,
): readonly Seen[] {
  let records: Seen[] | null = null;
  for (const key of now.takeTouched()) {
    const state = now.get(key);
    const before = reported.get(key);
    if (state === before) continue;
    if (state === undefined) reported.delete(key);
    else reported.set(key, state);
    const record = recordOf(key, state);
    // What was written anew may say the same as before.
    if (before === undefined || !saysTheSame(record, recordOf(key, before))) records = added(records, record);
  }
  return records ?? [];
}

/** Of two records with the same fields. Source: ours. */
function saysTheSame<Seen extends object>(one: Seen, other: Seen): boolean {
  for (const field in one) if (one[field] !== other[field]) return false;
  return true;
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
  return { entry, control: bits + pasid * PASID_UNIT, data, device, vector, handle };
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
function observeLives({ mdevs }: ParentState, reported: Reported): readonly MdevState[] {
  let changed: MdevState[] | null = null;
  for (const { index, gone, descriptors, defaultPasid } of mdevs) {
    const life = gone ? 'gone' : descriptors > 0 ? 'open' : 'created';
    const said = reported.mdevs.get(index) ?? NEVER_MADE;
    if (said.life === life && said.defaultPasid === defaultPasid) continue;
    const state: MdevState = { device: index, life, defaultPasid };
    reported.mdevs.set(index, state);
    changed = added(changed, state);
  }
  return changed ?? [];
}

const NEVER_MADE: Pick<MdevState, 'life' | 'defaultPasid'> = { life: 'gone', defaultPasid: 0 };

/** Source: DSA 3.0, 9.2. */
function observePerms({ mdevs }: ParentState, reported: Reported): readonly MsixPerm[] {
  let changed: MsixPerm[] | null = null;
  for (const mdev of mdevs) {
    const { index, touched } = mdev;
    const said = reportedOf(reported.perms, mdev);
    for (let vector = touched.next(0); vector !== -1; vector = touched.next(vector + 1)) {
      const { perm } = vectorAt(mdev, vector);
      const before = said.get(vector);
      if (before === perm) continue;
      said.set(vector, perm);
      const value = permRegister(perm);
      if (value !== (before === undefined ? 0 : permRegister(before)))
        changed = added(changed, { device: index, vector, value });
    }
  }
  return changed ?? [];
}

/** Source: ours, what is reported by device. */
function reportedOf<Said>(all: readonly Said[], { index }: Mdev): Said {
  const said = all[index];
  if (said === undefined) throw new Error(`nothing is reported of device ${index}`);
  return said;
}

function permRegister({ pasidEnable, pasid, ignore }: Perm): number {
  return (ignore ? IMS_IGNORE : 0) + (pasidEnable ? IMS_PASID_ENABLE : 0) + pasid * PASID_UNIT;
}

/** The driver's side of one mdev, as of any device. Source: PCIe 6.0, 7.7.2, as far as the mdev shows it. */
export function observeMdev(
  parent: ParentState,
  mdev: Mdev,
  reported: Reported,
  guest: GuestObservation | null,
): DeviceObservation {
  const { touched } = mdev;
  const said = reportedOf(reported.vectors, mdev);
  let changed: VectorChange[] | null = null;
  for (let vector = touched.next(0); vector !== -1; vector = touched.next(vector + 1)) {
    const state = mdevVectorState(parent, vectorAt(mdev, vector));
    if (state === (said.get(vector) ?? 0)) continue;
    said.set(vector, state);
    changed = added(changed, { vector, state });
  }
  const flags = mdev.descriptors === 0 ? 0 : mdevInfoFlags(parent);
  const changes = changed ?? [];
  const { setUp: enable } = mdev;
  if (guest === null) return { enable, functionMask: false, msixInfoFlags: flags, registers: 0, changes };
  return { enable, functionMask: false, msixInfoFlags: flags, registers: 0, changes, guest };
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
