import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** After tsc has emitted `dist/`: what the emitted code reads at run time, and how it finds the vocabulary there. */
const dist = join(import.meta.dirname, '..', 'dist');

for (const folder of ['impl/linux/agent', 'impl/qemu/shim']) mkdirSync(join(dist, folder), { recursive: true });
for (const file of [
  'impl/linux/agent/agent.c',
  'impl/linux/agent/storm.h',
  'impl/qemu/shim/shim.c',
  'impl/qemu/shim/socket.h',
  'impl/qemu/shim/eventfds.h',
  'impl/qemu/shim/regions.h',
  'reports/page.css',
  'reports/timeline.css',
]) {
  copyFileSync(join(import.meta.dirname, '..', file), join(dist, ...file.split('/')));
}
const manifest = { type: 'module', imports: { '#vocabulary': './model/vocabulary/index.js' } };
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
