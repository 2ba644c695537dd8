import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** After tsc has emitted `dist/`: what the emitted code reads at run time, and how it finds the vocabulary there. */
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** Whole folders: what is compiled is named by the hash of all that is in them. */
const compiled = ['impl/linux/agent', 'impl/qemu/shim', 'impl/stack/agent', 'impl/stack/launcher', 'impl/stack/shim'];
const files = compiled.flatMap((folder) => readdirSync(join(root, folder)).map((file) => `${folder}/${file}`));

const styles = readdirSync(join(root, 'reports')).filter((file) => file.endsWith('.css'));

/** What a harness is written from: messages refer to it. */
const texts = ['impl/stdio/PROTOCOL.md', 'impl/stdio/GUIDE.md'];

for (const file of [...files, ...texts, ...styles.map((style) => `reports/${style}`)]) {
  mkdirSync(join(dist, dirname(file)), { recursive: true });
  copyFileSync(join(root, file), join(dist, file));
}
const manifest = { type: 'module', imports: { '#vocabulary': './model/vocabulary/index.js' } };
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
