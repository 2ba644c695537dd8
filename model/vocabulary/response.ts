import type { Message } from './guest-operation.ts';
import type { EventfdName } from './operation.ts';
import type { Window } from './window.ts';

/** An errno by name; `errno N` for one that no rule speaks of, so that a real system can answer anything. */
export type Errno =
  | 'EBADF'
  | 'EBUSY'
  | 'EEXIST'
  | 'EFAULT'
  | 'EINVAL'
  | 'EIO'
  | 'ENODEV'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'ENOTTY'
  | 'ENXIO'
  | 'ERANGE'
  | `errno ${number}`;

/**
 * What an operation returned. `value`: what a read has read, or the result of a command. `status`: the error code of a
 * command that failed. `positive`: neither success nor an error. `unknown`: the system did not live to say.
 */
export type Outcome =
  | { readonly kind: 'ok' }
  | { readonly kind: 'irqInfo'; readonly flags: number; readonly count: number }
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'errno'; readonly errno: Errno }
  | { readonly kind: 'positive'; readonly value: number }
  | { readonly kind: 'unknown'; readonly reason: 'crash' | 'time-out' };

/**
 * What became visible while an operation ran.
 * `raised`: the device raised, with the window that was open, if one was. `signalled`: the eventfd's count rose by
 * `count`. `message`: the guest received `count` times a message of this address and data.
 * `completed`: a descriptor ended, as the guest that submitted it to the device reads it: status 1 is success, 0x19 an
 * invalid interrupt handle, 0 that it was abandoned and no record written. `error`: the guest reads SWERROR: a
 * descriptor with this PASID, as the guest calls it, was refused. `revoked`: the guest reads in INTCAUSE that handles
 * were revoked.
 * Order: all `raised`, `completed`, `error` and `revoked` as they happened, then `signalled` by eventfd number, then
 * `message` by device, upper address,
 * address and data. The eventfds of a VMM are its own affair: no signal of theirs is told.
 */
export type Event =
  | { readonly kind: 'raised'; readonly device: number; readonly vector: number; readonly window: Window | null }
  | { readonly kind: 'completed'; readonly device: number; readonly descriptor: number; readonly status: number }
  | { readonly kind: 'error'; readonly device: number; readonly pasid: number }
  | { readonly kind: 'revoked'; readonly device: number }
  | { readonly kind: 'signalled'; readonly eventfd: EventfdName; readonly count: number }
  | (Message & { readonly kind: 'message'; readonly device: number; readonly count: number });

/** Status of a completion record (DSA 3.0, 5.4); ABANDONED stands for no record. */
export const SUCCESS = 1;
export const INVALID_INTERRUPT_HANDLE = 0x19;
export const ABANDONED = 0;

/** Error codes of the commands on interrupt handles (DSA 3.0, 5.8; 0x43 as drivers of 2020 to 2023 have it). */
export const INVALID_HANDLE_INDEX = 0x41;
export const NO_HANDLE = 0x42;
export const UNKNOWN_HANDLE = 0x43;
