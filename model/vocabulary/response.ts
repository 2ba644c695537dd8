import type { Message } from './guest-operation.ts';
import type { EventfdName } from './operation.ts';
import type { Window } from './window.ts';

/** An errno by name; `errno N` for one that no rule speaks of, so that a real system can answer anything. */
export type Errno =
  | 'EBADF'
  | 'EBUSY'
  | 'EFAULT'
  | 'EINVAL'
  | 'EIO'
  | 'ENODEV'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'ENOTTY'
  | 'ERANGE'
  | `errno ${number}`;

/**
 * What an operation returned. `value`: what a read has read. `positive`: neither success nor an error. `unknown`: the
 * system did not live to say.
 */
export type Outcome =
  | { readonly kind: 'ok' }
  | { readonly kind: 'irqInfo'; readonly flags: number; readonly count: number }
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'errno'; readonly errno: Errno }
  | { readonly kind: 'positive'; readonly value: number }
  | { readonly kind: 'unknown'; readonly reason: 'crash' | 'time-out' };

/**
 * What became visible while an operation ran.
 * `raised`: the device raised, with the window that was open, if one was. `signalled`: the eventfd's count rose by
 * `count`. `message`: the guest received `count` times a message of this address and data.
 * Order: all `raised` as they happened, then `signalled` by eventfd number, then `message` by device, upper address,
 * address and data. The eventfds of a VMM are its own affair: no signal of theirs is told.
 */
export type Event =
  | { readonly kind: 'raised'; readonly device: number; readonly vector: number; readonly window: Window | null }
  | { readonly kind: 'signalled'; readonly eventfd: EventfdName; readonly count: number }
  | (Message & { readonly kind: 'message'; readonly device: number; readonly count: number });
