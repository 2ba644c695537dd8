import type { ChildProcess } from 'node:child_process';

/** Lines that are kept from the end of what a machine has said. */
export const LAST_LINES = 12;
/** How a kernel begins to say that something is wrong, and where it was. */
const REASON = /Kernel panic|BUG:|WARNING:|Oops|general protection|RIP: 0010/;

/** Listens to a virtual machine's console, and to its QEMU. Returns what tells the last words so far. */
export function keepLastLines(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      text = `${text}${data.toString('latin1')}`.slice(-32768);
    });
  }
  return () => {
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.includes('has no peer'));
    // A crash ends in registers: why it crashed is said further up.
    const reasons = lines.slice(0, -LAST_LINES).filter((line) => REASON.test(line));
    return [...reasons, ...lines.slice(-LAST_LINES)].join('\n');
  };
}
