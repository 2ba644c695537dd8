import { accessSync, appendFileSync, constants, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';

/**
 * Writes a file so that nobody ever sees half of it, and makes its folder when there is none. A pipe or a device is
 * written to, and not replaced by a file.
 */
export function writeWhole(path: string, text: string): void {
  makeFolder(path);
  if (isStream(path)) {
    writeFileSync(path, text);
    return;
  }
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    writeFileSync(unfinished, text);
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** Puts text behind what others have written to a file. */
export function append(path: string, text: string): void {
  appendFileSync(path, text);
}

/**
 * Makes the folder of a file that is to be written: replaced, or added to, for which a file that is there already does
 * in a folder in which nothing can be made.
 * @throws where that cannot be done, and where what is there is a folder or is not to be written by this user
 */
export function makeRoomFor(path: string, how: 'replace' | 'append' = 'replace'): void {
  makeFolder(path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) throw new Error('it is a folder');
  const isOpened = isStream(path) || (how === 'append' && found !== undefined);
  accessSync(isOpened ? path : dirname(path), constants.W_OK);
}

function makeFolder(path: string): void {
  makeFolders(dirname(path));
}

/** One by one: where none can be made, as in /proc, `mkdirSync` with `recursive` tries for ever. */
function makeFolders(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  if (found === undefined) makeFolders(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

function isStream(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** The path as a person here would type it: relative when the file lies below the working directory. */
export function shownPath(path: string): string {
  const near = relative('.', path);
  return near.startsWith('..') ? path : near;
}
