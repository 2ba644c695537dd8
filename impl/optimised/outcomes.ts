import type { Outcome } from '#vocabulary';
import { Arena } from './pool.ts';

// Each outcome without a number exists once, so that one can be told from another by identity and none is allocated.

export const OK: Outcome = { kind: 'ok' };
export const EBADF: Outcome = { kind: 'errno', errno: 'EBADF' };
export const EBUSY: Outcome = { kind: 'errno', errno: 'EBUSY' };
export const EEXIST: Outcome = { kind: 'errno', errno: 'EEXIST' };
export const EFAULT: Outcome = { kind: 'errno', errno: 'EFAULT' };
export const EINVAL: Outcome = { kind: 'errno', errno: 'EINVAL' };
export const EIO: Outcome = { kind: 'errno', errno: 'EIO' };
export const ENODEV: Outcome = { kind: 'errno', errno: 'ENODEV' };
export const ENOSPC: Outcome = { kind: 'errno', errno: 'ENOSPC' };
export const ENOTTY: Outcome = { kind: 'errno', errno: 'ENOTTY' };
export const ENXIO: Outcome = { kind: 'errno', errno: 'ENXIO' };
export const ERANGE: Outcome = { kind: 'errno', errno: 'ERANGE' };

/** Outcomes with numbers, in objects that were made for earlier scenarios. One is valid until the next `reset`. */
export class NumberedOutcomes {
  readonly #irqInfos = new Arena(() => ({ kind: 'irqInfo' as const, flags: 0, count: 0 }));
  readonly #values = new Arena(() => ({ kind: 'value' as const, value: 0 }));
  readonly #statuses = new Arena(() => ({ kind: 'status' as const, status: 0 }));
  readonly #positives = new Arena(() => ({ kind: 'positive' as const, value: 0 }));

  reset(): void {
    this.#irqInfos.reset();
    this.#values.reset();
    this.#statuses.reset();
    this.#positives.reset();
  }

  irqInfo(flags: number, count: number): Outcome {
    const outcome = this.#irqInfos.next();
    outcome.flags = flags;
    outcome.count = count;
    return outcome;
  }

  value(value: number): Outcome {
    const outcome = this.#values.next();
    outcome.value = value;
    return outcome;
  }

  status(status: number): Outcome {
    const outcome = this.#statuses.next();
    outcome.status = status;
    return outcome;
  }

  positive(value: number): Outcome {
    const outcome = this.#positives.next();
    outcome.value = value;
    return outcome;
  }
}
