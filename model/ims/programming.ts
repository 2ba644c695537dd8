import { cite, declare } from '../cite.ts';
import { quiesce } from './completion.ts';
import { messageArrives } from './interrupt.ts';
import { entryAt, mdevAt, type ParentState, setEntry, setVectorState, vectorAt } from './parent.ts';
import { dropPasid, takePasid } from './pasid.ts';

const CLAUSE = declare({
  whole: {
    id: 'ims.programming.whole-field',
    title:
      'The PASID of an entry is replaced as a whole: neither the old number, nor none, nor both mixed is ever open.',
    source: 'DSA 3.0, 9.2; enable_host_ims_pasid in the idxd RFC of July 2020, which mixed them (W2)',
  },
  referenced: {
    id: 'ims.programming.referenced',
    title:
      'An entry holds a reference to the PASID it carries, taken before it is written and dropped after it is gone.',
    source: 'the life cycle in "docs: Document IOASID APIs", 2020 (W4)',
  },
  flushed: {
    id: 'ims.programming.pending-flushed',
    title: 'The pending bit of an entry that is closed is kept for the guest that it belongs to.',
    source: 'ours: the bit is read only (DSA 3.0, 9.2), and the next owner must not find it (W6)',
  },
  closed: {
    id: 'ims.programming.closed',
    title: 'A closed entry is masked and has PASID Enable off: no descriptor of a queue with PASIDs can use it.',
    source: 'DSA 3.0, 5.4 and 7.5.7',
  },
  mask: {
    id: 'ims.programming.mask-bit-only',
    title: 'Masking and unmasking change the mask bit of the entry and nothing else.',
    source: 'DSA 3.0, 7.5.4; the mask functions of the idxd drivers of 2020 and 2021, which did more (W11)',
  },
  unmaskPending: {
    id: 'ims.programming.unmask-pending',
    title: 'An entry that is unmasked while its pending bit is set sends its message, and the bit is cleared.',
    source: 'DSA 3.0, 5.4',
  },
});

/** No descriptor passes from here on, and none that passed is still to come. */
export function closeEntry(parent: ParentState, index: number): void {
  quiesce(parent, index);
  const { pasid, pending, device, vector } = entryAt(parent, index);
  if (pending) {
    cite(CLAUSE.flushed);
    setVectorState(mdevAt(parent, device), vector, { pending: true });
  }
  cite(CLAUSE.closed);
  setEntry(parent, index, { mask: true, pending: false, ignore: false, pasid: 0 });
  if (pasid !== 0) dropPasid(parent, pasid);
}

/** The entry carries a PASID from here on. Its mask and its message stay. */
export function programEntry(parent: ParentState, index: number, pasid: number): void {
  if (entryAt(parent, index).pasid === pasid) return;
  cite(CLAUSE.referenced);
  takePasid(parent, pasid);
  quiesce(parent, index);
  cite(CLAUSE.whole);
  const before = entryAt(parent, index).pasid;
  setEntry(parent, index, { pasid });
  if (before !== 0) dropPasid(parent, before);
}

/** Brings the mask bit to what it must be. Returns whether a message was sent by that. */
export function settleMask(parent: ParentState, index: number): boolean {
  const { device, vector, pasid, mask: before, pending, data } = entryAt(parent, index);
  const { masked, trigger } = vectorAt(mdevAt(parent, device), vector);
  const mask = masked || trigger === null || pasid === 0;
  if (mask === before) return false;
  cite(CLAUSE.mask);
  if (mask || !pending) {
    setEntry(parent, index, { mask });
    return false;
  }
  cite(CLAUSE.unmaskPending);
  setEntry(parent, index, { mask, pending: false });
  messageArrives(parent, data);
  return true;
}
