import { spawnSync } from 'node:child_process';
import type { Program } from './qemu.ts';

const EMPTY_MACHINE = [
  '-machine',
  'none',
  '-accel',
  'kvm',
  '-S',
  '-display',
  'none',
  '-nodefaults',
  '-monitor',
  'stdio',
];

const answers = new Map<string, string | undefined>();

/**
 * Why KVM makes no virtual machine here, in QEMU's words; undefined where it does. Whether there is /dev/kvm says
 * little: it may be forbidden, or be of a kind that makes none. Asked once.
 */
export function whyNoKvm(program: Program): string | undefined {
  const [first = '', ...words] = program.words;
  const key = program.words.join(' ');
  if (!answers.has(key)) {
    const { status, stderr, error } = spawnSync(first, [...words, ...EMPTY_MACHINE], {
      env: { ...process.env, ...program.environment },
      input: 'quit\n',
      encoding: 'utf8',
    });
    answers.set(key, status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').at(-1) ?? 'no reason'));
  }
  return answers.get(key);
}
