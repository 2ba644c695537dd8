import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceFile } from './source.ts';

export const ROOT = join(import.meta.dirname, '..');

/** Files in git or about to be, by path. Patterns are git's: `*` also matches slashes. */
export function repositoryPaths(...patterns: readonly string[]): readonly string[] {
  // A clone may belong to another user than the one who tests it, as in a container.
  const git = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--'];
  const listed = execFileSync('git', [...git, ...patterns], { cwd: ROOT, encoding: 'utf8' });
  const paths = listed.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
  return [...new Set(paths)].sort();
}

export function repositoryFiles(...patterns: readonly string[]): readonly SourceFile[] {
  return repositoryPaths(...patterns).map((path) => ({
    path,
    text: readFileSync(join(ROOT, path), 'utf8'),
    bytes: statSync(join(ROOT, path)).size,
  }));
}
