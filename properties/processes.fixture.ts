import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** QEMUs that are children of a process, by pid, whichever of its threads has made them. */
export function qemus(parent = process.pid): readonly string[] {
  const tasks = `/proc/${parent}/task`;
  const threads = existsSync(tasks) ? readdirSync(tasks) : [];
  const children = threads.flatMap((thread) => {
    const file = `${tasks}/${thread}/children`;
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split(/\s+/).filter(Boolean) : [];
  });
  return children.filter((pid) => {
    const command = `/proc/${pid}/cmdline`;
    return existsSync(command) && readFileSync(command, 'utf8').includes('qemu-system');
  });
}

/** Looks ten times a second until there is something to see. */
export async function until<T>(look: () => T | undefined, seconds = 20): Promise<T> {
  for (let tries = 0; tries < seconds * 10; tries += 1) {
    const seen = look();
    if (seen !== undefined) return seen;
    await sleep(100);
  }
  throw new Error(`waited for ${seconds} s in vain`);
}
