import { HISTORIC_FAULTS } from './mdev-faults.ts';
import type { MdevScript } from './mdev-script.ts';
import { MDEV_CALL_STATEMENTS } from './mdev-statements-call.ts';
import { DELIVERY_STATEMENTS, ORDER_STATEMENTS } from './mdev-statements-delivery.ts';
import { LAYOUT_STATEMENTS, POLICY_STATEMENTS } from './mdev-statements-entry.ts';
import { END_STATEMENTS, HANDLE_STATEMENTS } from './mdev-statements-handle.ts';
import { FAILURE_STATEMENTS, PASID_STATEMENTS, REUSE_STATEMENTS } from './mdev-statements-life.ts';
import type { NotSaid } from './statements.ts';

/**
 * What drivers of mediated devices with IMS do, statement by statement, each by its number; found by reading the
 * architecture specification of the device and the drivers that were published, then the faults that these had, and
 * last what is not in the list.
 */
export const MDEV_STATEMENTS: readonly MdevScript[] = [
  ...LAYOUT_STATEMENTS,
  ...POLICY_STATEMENTS,
  ...DELIVERY_STATEMENTS,
  ...ORDER_STATEMENTS,
  ...REUSE_STATEMENTS,
  ...PASID_STATEMENTS,
  ...HANDLE_STATEMENTS,
  ...END_STATEMENTS,
  ...FAILURE_STATEMENTS,
  ...HISTORIC_FAULTS,
  ...MDEV_CALL_STATEMENTS,
];

export const MDEV_NOT_SAID: readonly NotSaid[] = [
  {
    id: 'T21',
    says: 'the interrupt arrives after the completion record is written',
    reason: 'a step tells signals behind everything else, whatever came first: the other order would read the same',
  },
];

/** What of a statement that is said is not said. */
export const MDEV_PARTS_NOT_SAID: readonly NotSaid[] = [
  {
    id: 'T3',
    says: 'MSIX_PERM of vector V lies 8 * V bytes behind the base, and accesses of other widths are merged or dropped',
    reason: 'an operation is the access that the trap has decoded: vector, PASID, PASID Enable and Ignore',
  },
  {
    id: 'T27',
    says: 'a value between two PASIDs is never in an entry, not for a moment',
    reason: 'between two operations nothing is looked at: only what an entry is left with is seen',
  },
];
