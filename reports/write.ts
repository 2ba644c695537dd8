import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';

/** Writes a file so that nobody ever sees half of it, and makes its folder when there is none. */
export function writeWhole(path: string, text: string): void {
  makeFolder(path);
  const unfinished = `${path}.${process.pid}.unfinished`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, path);
}

/** Puts text behind what others have written to a file. */
export function append(path: string, text: string): void {
  appendFileSync(path, text);
}

/** Makes the folder of a file when there is none. */
export function makeFolder(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
}

/** The path as a person here would type it: relative when the file lies below the working directory. */
export function shownPath(path: string): string {
  const near = relative('.', path);
  return near.startsWith('..') ? path : near;
}
