import type { Errno, Outcome } from '#vocabulary';

const OK: Outcome = { kind: 'ok' };

/** What an ioctl returned as an Outcome: 0, an errno, or what is neither. Source: ioctl(2). */
export function returned(result: number | Errno): Outcome {
  if (typeof result === 'string') return { kind: 'errno', errno: result };
  return result === 0 ? OK : { kind: 'positive', value: result };
}
