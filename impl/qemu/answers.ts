import { type Errno, HarnessError, type Outcome } from '#vocabulary';

/** Numbers of asm-generic/errno-base.h and errno.h. */
const NUMBERS: Readonly<Partial<Record<Errno, number>>> = {
  EIO: 5,
  EBADF: 9,
  ENOMEM: 12,
  EFAULT: 14,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSPC: 28,
  ERANGE: 34,
};

/** An outcome as an ioctl returns it: 0, a positive number, or a negative errno. */
export function resultOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'ok':
    case 'irqInfo':
    case 'value':
      return 0;
    case 'positive':
      return outcome.value;
    case 'status':
      throw new HarnessError(`no ioctl answers with the status of a command: ${outcome.status}`);
    case 'errno': {
      const number = NUMBERS[outcome.errno] ?? Number(outcome.errno.replace('errno ', ''));
      return -number;
    }
    case 'unknown':
      throw new HarnessError(`the kernel below QEMU ended: ${outcome.reason}`);
  }
}

const NAMES = new Map(Object.entries(NUMBERS).map(([name, number]) => [number, name as Errno]));

/** What an ioctl returned, as an outcome. */
export function outcomeOf(result: number): Outcome {
  if (result === 0) return { kind: 'ok' };
  if (result > 0) return { kind: 'positive', value: result };
  return { kind: 'errno', errno: NAMES.get(-result) ?? `errno ${-result}` };
}
