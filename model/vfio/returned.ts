import type { Errno, Outcome } from '#vocabulary';

const OK: Outcome = { kind: 'ok' };

/** What an ioctl returned as an Outcome: 0, an errno, or what is neither. Source: ioctl(2). */
export function returned(result: number | Errno): Outcome {
  if (result === 0) return OK;
  return typeof result === 'number' ? { kind: 'positive', value: result } : { kind: 'errno', errno: result };
}
