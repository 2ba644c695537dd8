import {
  type GuestReleaseHandle,
  type GuestRequestHandle,
  INVALID_HANDLE_INDEX,
  NO_HANDLE,
  type Outcome,
  UNKNOWN_HANDLE,
} from '#vocabulary';
import { added } from '../added.ts';
import { cite, declare } from '../cite.ts';
import { emulatedEvent, replay } from './interrupt.ts';
import { imsVectors, type Mdev, type ParentState, setEntry, setVectorState, vectorAt } from './parent.ts';
import { closeEntry } from './programming.ts';

const CLAUSE = declare({
  noIms: {
    id: 'ims.handle.no-ims-table',
    title: 'The virtual device has no IMS table: a request for a handle of it ends with 0x42.',
    source: 'DSA 3.0, 5.8 and 7.5.4',
  },
  badIndex: {
    id: 'ims.handle.bad-index',
    title: 'A request for vector 0 or for one beyond the table ends with 0x41.',
    source: "DSA 3.0, 5.8; vector 0 is the driver's own",
  },
  noEntry: {
    id: 'ims.handle.no-entry',
    title: 'A request for a vector without an entry ends with 0x42, not with a number made of an errno.',
    source: 'DSA 3.0, 5.8; vidxd_do_command of 2021 to 2023, which shifted -EINVAL into the result (W13)',
  },
  requested: {
    id: 'ims.handle.requested',
    title: 'The handle of a vector is the index of its entry, 16 bits of it; to ask again gives the same.',
    source: 'DSA 3.0, 5.8 and 7.5.4 (W21)',
  },
  unknown: {
    id: 'ims.handle.release-unknown',
    title:
      'Releasing what was not requested ends with an error, 0x41 by index and 0x43 by handle, and with that alone.',
    source: 'DSA 3.0, 5.8; the idxd drivers of 2020 to 2023',
  },
  released: {
    id: 'ims.handle.released',
    title: 'A handle that is released leads nowhere, and the entry of its vector is closed.',
    source: 'DSA 3.0, 5.8',
  },
  moved: {
    id: 'ims.handle.moved',
    title: 'A vector that comes back with another entry has the old handle revoked, and vector 0 tells the guest.',
    source: 'DSA 3.0, 3.15 and 7.5.5; the drivers of 2022 and 2023, which did not tell (W9)',
  },
});

/** Request Interrupt Handle. */
export function requestHandle(parent: ParentState, mdev: Mdev, { vector, ims }: GuestRequestHandle): Outcome {
  if (ims === true) {
    cite(CLAUSE.noIms);
    return { kind: 'status', status: NO_HANDLE };
  }
  if (vector === 0 || vector >= mdev.vectors.length) {
    cite(CLAUSE.badIndex);
    return { kind: 'status', status: INVALID_HANDLE_INDEX };
  }
  const { entry } = vectorAt(mdev, vector);
  if (entry === null) {
    cite(CLAUSE.noEntry);
    return { kind: 'status', status: NO_HANDLE };
  }
  cite(CLAUSE.requested);
  setVectorState(mdev, vector, { told: entry });
  if (parent.hardware.handles === 'requested') setEntry(parent, entry, { handle: true });
  return { kind: 'value', value: entry };
}

/** Release Interrupt Handle. */
export function releaseHandle(parent: ParentState, mdev: Mdev, { operand }: GuestReleaseHandle): Outcome {
  const vector = releasedVector(parent, mdev, operand);
  if (vector === null) {
    cite(CLAUSE.unknown);
    return { kind: 'status', status: parent.driver.releaseBy === 'index' ? INVALID_HANDLE_INDEX : UNKNOWN_HANDLE };
  }
  cite(CLAUSE.released);
  const { told, entry } = vectorAt(mdev, vector);
  setVectorState(mdev, vector, { told: null });
  // The entry it led to may be somebody else's by now.
  if (entry !== null && entry === told) {
    setEntry(parent, entry, { handle: false });
    closeEntry(parent, entry);
    replay(parent, mdev, vector, false);
  }
  return { kind: 'ok' };
}

/** Source: DSA 3.0, 5.8, before and since rev. 1.2. */
function releasedVector({ driver }: ParentState, mdev: Mdev, operand: number): number | null {
  const told = imsVectors(mdev).filter((vector) => vectorAt(mdev, vector).told !== null);
  const isMeant = (vector: number): boolean =>
    driver.releaseBy === 'index' ? vector === operand : vectorAt(mdev, vector).told === operand;
  // Two vectors may have been told one handle, one after the other: it is released where it leads.
  const leads = (vector: number): boolean => vectorAt(mdev, vector).entry === vectorAt(mdev, vector).told;
  return told.filter(isMeant).find(leads) ?? told.find(isMeant) ?? null;
}

/** Tells the guest when the handle that it has leads elsewhere. */
export function checkMoved(parent: ParentState, mdev: Mdev, vector: number): void {
  const { told, entry } = vectorAt(mdev, vector);
  if (told === null || told === entry) return;
  cite(CLAUSE.moved);
  setVectorState(mdev, vector, { told: null });
  parent.events = added(parent.events, { kind: 'revoked', device: mdev.index });
  emulatedEvent(parent, mdev.index);
}
