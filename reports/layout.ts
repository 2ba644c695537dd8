import type { Palette } from './palette.ts';
import { printable } from './printable.ts';

/** Columns that every terminal report keeps to, except for commands and paths: they are copied, so never broken. */
export const TERMINAL_COLUMNS = 120;

/**
 * Breaks the text between words; a single word longer than the width is broken too, so that nothing is cut off.
 * A line keeps its indentation where it goes on.
 */
export function wrap(text: string, width: number): readonly string[] {
  const lines = printable(text).replaceAll('\t', '    ').split('\n');
  return lines.flatMap((line) => {
    const words = line.trimStart();
    const indent = ' '.repeat(Math.min(line.length - words.length, width - 1));
    return fill(words, width - indent.length).map((filled) => `${indent}${filled}`);
  });
}

/** The same for one of several texts that stand below each other: where it goes on it is indented. */
export function hanging(text: string, width: number): readonly string[] {
  return wrap(text, width - 2).map((line, index) => (index === 0 ? line : `  ${line}`));
}

function fill(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((word) => pieces(word, width))) {
    if (line === '') line = word;
    else if (columnsOf(line) + 1 + columnsOf(word) <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function pieces(word: string, width: number): readonly string[] {
  const characters = [...word];
  const result: string[] = [];
  for (let start = 0; start === 0 || start < characters.length; start += width) {
    result.push(characters.slice(start, start + width).join(''));
  }
  return result;
}

/** How many columns the text takes; a character outside the basic plane is one, not two. */
export function columnsOf(text: string): number {
  return [...text].length;
}

export function left(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}

export function right(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - columnsOf(text))) + text;
}

/** The widest of the texts. */
export function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(columnsOf));
}

/** `operation 2`, `operations 1, 2 and 4` */
export function enumerated(noun: string, numbers: readonly number[]): string {
  const last = numbers.at(-1);
  return numbers.length === 1 ? `${noun} ${last}` : `${noun}s ${numbers.slice(0, -1).join(', ')} and ${last}`;
}

const LABEL_COLUMNS = 12;

/** Lines behind a label that stands once. */
export function labelled(label: string, texts: readonly string[], palette: Palette): readonly string[] {
  return texts
    .flatMap((text) => wrap(text, TERMINAL_COLUMNS - 2 - LABEL_COLUMNS))
    .map((line, index) => `  ${palette.quiet(left(index === 0 ? label : '', LABEL_COLUMNS))}${line}`);
}

/** Sections with an empty line between them; one with nothing to say is left out. */
export function joinSections(sections: readonly (readonly string[])[]): string {
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n');
}

const DIGITS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `1,234,567` */
export function grouped(value: number): string {
  return DIGITS.format(value);
}

/** `1 scenario`, `2,000 scenarios` */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : plural}`;
}
