import { cite, declare } from '../cite.ts';
import type { ParentState, PasidState } from './parent.ts';

const CLAUSE = declare({
  lowest: {
    id: 'ims.pasid.lowest-free',
    title: 'A PASID is allocated lowest first; 0 is never one.',
    source: 'ioasid_alloc, Linux 5.5 to 6.3; iommu_alloc_global_pasid, Linux 6.6 and later',
  },
  none: {
    id: 'ims.pasid.none-free',
    title: 'Where no PASID is free, ENOSPC.',
    source: 'ioasid_alloc, Linux 5.5 to 6.3',
  },
  free: {
    id: 'ims.pasid.free',
    title: 'A PASID is free when nobody has it allocated and nothing carries it.',
    source: 'the life cycle in "docs: Document IOASID APIs", 2020',
  },
  pending: {
    id: 'ims.pasid.free-pending',
    title: 'A PASID that is given back while something carries it translates nothing and is not given to anybody yet.',
    source: 'the FREE_PENDING state in "docs: Document IOASID APIs", 2020 (W4)',
  },
});

/** A PASID for a VM: for one of its guest PASIDs, or as a default one (guest 0). */
export function allocatePasid(parent: ParentState, vm: number, guest: number): number | 'ENOSPC' {
  for (let pasid = 1; pasid <= parent.hardware.pasids; pasid += 1) {
    if (parent.pasids.has(pasid)) continue;
    cite(CLAUSE.lowest);
    parent.pasids.set(pasid, { vm, guest, holders: 1, users: 0 });
    return pasid;
  }
  cite(CLAUSE.none);
  return 'ENOSPC';
}

/** One more mdev has it as its default. Source: ioasid_get, "docs: Document IOASID APIs", 2020. */
export function holdPasid(parent: ParentState, pasid: number): void {
  const state = pasidAt(parent, pasid);
  parent.pasids.set(pasid, counted(state, state.holders + 1, state.users));
}

/** Whoever allocated it, or had it as default, gives it back. Source: "docs: Document IOASID APIs", 2020. */
export function releasePasid(parent: ParentState, pasid: number): void {
  const state = pasidAt(parent, pasid);
  settle(parent, pasid, counted(state, state.holders - 1, state.users));
}

/** Hardware is about to carry it. Source: the life cycle in "docs: Document IOASID APIs", 2020. */
export function takePasid(parent: ParentState, pasid: number): void {
  const state = pasidAt(parent, pasid);
  parent.pasids.set(pasid, counted(state, state.holders, state.users + 1));
}

/** Hardware carries it no more. Source: the life cycle in "docs: Document IOASID APIs", 2020. */
export function dropPasid(parent: ParentState, pasid: number): void {
  const state = pasidAt(parent, pasid);
  settle(parent, pasid, counted(state, state.holders, state.users - 1));
}

/** Fields are written out: copies by spread may differ in shape. */
function counted({ vm, guest }: PasidState, holders: number, users: number): PasidState {
  return { vm, guest, holders, users };
}

function settle(parent: ParentState, pasid: number, state: PasidState): void {
  if (state.holders === 0 && state.users === 0) {
    cite(CLAUSE.free);
    parent.pasids.delete(pasid);
    return;
  }
  if (state.holders === 0) cite(CLAUSE.pending);
  parent.pasids.set(pasid, state);
}

/** Source: ours. */
function pasidAt(parent: ParentState, pasid: number): PasidState {
  const state = parent.pasids.get(pasid);
  if (state === undefined) throw new Error(`PASID ${pasid} is free`);
  return state;
}
