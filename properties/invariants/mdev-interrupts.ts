import { type Event, IMS_IGNORE, type ImsEntry, SUCCESS } from '#vocabulary';
import { canBe } from './by-vector.ts';
import { descriptorOf, entryOf, hasMdev } from './followed-parent.ts';
import type { Followed } from './mdev-moment.ts';

/** The vector that has an interrupt to tell because of an event. */
export interface Told {
  readonly device: number;
  readonly vector: number;
}

/**
 * The vector that an event gives an interrupt to: vector 0 for what its driver has to tell, and for a descriptor that
 * succeeded the owner of the entry that it named, unless that ignores it.
 * Source: DSA 3.0, 3.7 and 5.4.
 */
export function toldBy(moment: Followed, event: Event): Told | null {
  const told = toldAtAll(moment, event);
  const isThere = told !== null && hasMdev(moment.before, told.device) && canBe(told.vector);
  return isThere ? told : null;
}

function toldAtAll(moment: Followed, event: Event): Told | null {
  switch (event.kind) {
    case 'raised':
      return event.vector === 0 && moment.before.mdevs[event.device]?.life === 'open' ? vector0(event) : null;
    case 'error':
    case 'revoked':
      return vector0(event);
    case 'completed': {
      const entry = event.status === SUCCESS ? entryNamed(moment, event.descriptor) : undefined;
      return entry === undefined || entry.device === -1 || isIgnored(moment, entry) ? null : entry;
    }
    case 'signalled':
    case 'message':
      return null;
  }
}

function vector0({ device }: { readonly device: number }): Told {
  return { device, vector: 0 };
}

/** The entry that a descriptor was checked against, which may have been submitted in this very step. */
function entryNamed({ operation, before, after }: Followed, number: number): ImsEntry | undefined {
  const known = descriptorOf(before, number);
  if (known?.phase === 'started') return known.entry === -1 ? undefined : entryOf(before, known.entry);
  const submitted = operation.kind === 'guest.submit' && operation.descriptor === number ? operation : undefined;
  const asked = known?.asked ?? submitted;
  if (asked === undefined || asked.rci === false) return undefined;
  const entry = entryOf(before, asked.handle);
  return entry.device === -1 ? entryOf(after, asked.handle) : entry;
}

/** A write to MSIX_PERM reaches Ignore of an open entry before what it drains. */
function isIgnored({ operation }: Followed, { device, vector, control }: ImsEntry): boolean {
  const its = operation.kind === 'guest.msixPerm' && operation.device === device && operation.vector === vector;
  return its ? operation.ignore : (control & IMS_IGNORE) !== 0;
}
