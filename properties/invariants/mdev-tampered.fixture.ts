import {
  type Descriptor,
  type Event,
  type HostPasid,
  hostIrq,
  IMS_MASK,
  IMS_PASID_ENABLE,
  type ImsEntry,
  type MdevState,
  PASID_SHIFT,
  type ParentObservation,
  type Scenario,
  type Step,
} from '#vocabulary';
import type { Edit, Mutable } from './tampered.fixture.ts';

// What a driver with a fault would have shown of a parent, put into a step of the model.

export type Tampered = Mutable<Step> | undefined;

/** A scenario, what is done to its run, and what the invariants say of that. */
export type Row = readonly [what: string, scenario: Scenario, edit: Edit, told: string];

export const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
export const DISABLE = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';
/** What is set in the control word of an entry that is masked and lets a PASID through. */
export const OPEN = IMS_MASK | IMS_PASID_ENABLE;
export const ENABLED = `${SET} 1+1 [e1]`;
export const SUBMITTED = 'guest.submit 0 dedicated 0 handle=0';
export const STARTED: readonly string[] = [ENABLED, SUBMITTED, 'device.start 0'];
export const PENDS: readonly string[] = [...STARTED, 'device.complete 0'];
/** An operation that changes nothing. */
export const NOTHING = 'vfio.getIrqInfo MSIX';

export function parentOf(step: Tampered): Mutable<ParentObservation> {
  if (step?.parent === undefined) throw new Error('nothing was observed of the parent');
  return step.parent;
}

/** A control word: its bits, and the PASID that stands in it. */
export function control(bits: number, pasid = 0): number {
  return (bits | (pasid << PASID_SHIFT)) >>> 0;
}

/** Says something else of an entry; of one of which the step says nothing yet, as if it had been clean. */
export function entrySays(step: Tampered, entry: number, says: Partial<ImsEntry>): void {
  const clean: ImsEntry = { entry, control: IMS_MASK, data: 0, device: -1, vector: -1, handle: false };
  replace(parentOf(step).entries, (one) => one.entry === entry, clean, says);
}

/** Gives an entry to a vector that has a trigger. */
export function entryOf(
  step: Tampered,
  entry: number,
  [device, vector]: readonly [number, number],
  word: number,
): void {
  entrySays(step, entry, { control: word, data: hostIrq(device, vector), device, vector });
}

export function pasidSays(step: Tampered, pasid: number, says: Partial<HostPasid>): void {
  const free: HostPasid = { pasid, state: 'free', vm: -1, guest: 0, references: 0 };
  replace(parentOf(step).pasids, (one) => one.pasid === pasid, free, says);
}

export function descriptorSays(step: Tampered, descriptor: number, says: Partial<Descriptor>): void {
  const over: Descriptor = { descriptor, phase: 'over', device: -1, pasid: 0, entry: -1 };
  replace(parentOf(step).descriptors, (one) => one.descriptor === descriptor, over, says);
}

export function mdevSays(step: Tampered, device: number, says: Partial<MdevState>): void {
  const state: MdevState = { device, life: 'open', defaultPasid: 0 };
  replace(parentOf(step).mdevs, (one) => one.device === device, state, says);
}

function replace<One>(list: One[], isIt: (one: One) => boolean, otherwise: One, says: Partial<One>): void {
  const place = list.findIndex(isIt);
  if (place === -1) list.push({ ...otherwise, ...says });
  else list[place] = { ...otherwise, ...list[place], ...says };
}

/** The step says nothing of the parent, of vectors, or of events. */
export function saysNothing(step: Tampered): void {
  if (step === undefined) throw new Error('there is no such step');
  step.parent = { entries: [], pasids: [], mdevs: [], perms: [], descriptors: [] };
  for (const device of step.observation) device.changes = [];
  step.events = [];
}

/** Leaves out the events of one kind. */
export function without(step: Tampered, kind: Event['kind']): void {
  if (step === undefined) throw new Error('there is no such step');
  step.events = step.events.filter((event) => event.kind !== kind);
}

/** Sets the state of a vector of some mdev. */
export function vectorSays(step: Tampered, device: number, vector: number, state: number): void {
  const observed = step?.observation[device];
  if (observed === undefined) throw new Error('nothing was observed');
  observed.changes = [...observed.changes.filter((change) => change.vector !== vector), { vector, state }];
}

/** The step says nothing of vectors and entries. */
export function saysNothingOfVector(step: Tampered): void {
  for (const device of step?.observation ?? []) device.changes = [];
  parentOf(step).entries = [];
}

/** Descriptor 0 of mdev 0, by the dedicated queue, is refused. */
export function refuse(step: Tampered): void {
  if (step === undefined) return;
  step.events = [
    { kind: 'completed', device: 0, descriptor: 0, status: 0x19 },
    { kind: 'error', device: 0, pasid: 0 },
  ];
  descriptorSays(step, 0, { phase: 'over', device: -1, pasid: 0, entry: -1 });
}

/** The guest reads that a descriptor has ended. */
export function ends(step: Tampered, device: number, descriptor: number, status: number): void {
  step?.events.push({ kind: 'completed', device, descriptor, status });
}

/** Something else was returned. */
export function outcomeIs(step: Tampered, errno: 'EINVAL' | 'ENOSPC'): void {
  if (step !== undefined) step.outcome = { kind: 'errno', errno };
}
