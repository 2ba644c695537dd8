import { printCall, type VmmCall } from '#vocabulary';

/** A list in brackets is told whole up to this length. */
const LIST_MAX = 10;
/** Pieces of a longer list that are told, however it is made. */
const PIECES_MAX = 6;
/** Calls alike that are told one by one. */
const ALIKE_MAX = 3;
/** Lines of one reaction; beyond them the middle is counted. */
const LINES_MAX = 14;
const LINES_AT_THE_END = 3;

/** What a VMM asked of the host in one reaction, a line each: calls alike are counted, and long lists shortened. */
export function callLines(calls: readonly VmmCall[]): readonly string[] {
  const lines = runsOf(calls.map(printCall)).flatMap((run) => {
    const [first = '', ...rest] = run.map(shortened);
    const last = rest.at(-1);
    return run.length <= ALIKE_MAX || last === undefined
      ? [first, ...rest]
      : [first, more(run.length - 2, 'alike'), last];
  });
  if (lines.length <= LINES_MAX) return lines;
  const begin = lines.slice(0, LINES_MAX - LINES_AT_THE_END - 1);
  return [...begin, more(lines.length - begin.length - LINES_AT_THE_END, 'lines'), ...lines.slice(-LINES_AT_THE_END)];
}

/** The calls of one side beside those of another: what both begin with is not told again; nothing where they agree. */
export function callsBeside(calls: readonly string[], others: readonly string[]): readonly string[] {
  const differing = calls.findIndex((call, place) => call !== others[place]);
  const same = differing === -1 ? calls.length : differing;
  if (same === calls.length && same === others.length) return [];
  const rest = same === calls.length ? ['(no more calls)'] : calls.slice(same);
  return same === 0 ? rest : [`... ${same === 1 ? 'the same call' : `the same ${same} lines`} ...`, ...rest];
}

function more(count: number, what: string): string {
  return `... ${count} more ${what} ...`;
}

/** Neighbours that differ by nothing but one number each, which goes up by one. */
function runsOf(texts: readonly string[]): readonly (readonly string[])[] {
  const runs: string[][] = [];
  for (const text of texts) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run !== undefined && before !== undefined && isNext(before, text)) run.push(text);
    else runs.push([text]);
  }
  return runs;
}

/** Whether every number of the second text is that of the first or one more, and one is one more. */
function isNext(before: string, after: string): boolean {
  if (before === after || before.replaceAll(/\d+/g, 'N') !== after.replaceAll(/\d+/g, 'N')) return false;
  const numbers = after.match(/\d+/g) ?? [];
  return (before.match(/\d+/g) ?? []).every((number, place) => {
    const step = Number(numbers[place]) - Number(number);
    return step === 0 || step === 1;
  });
}

/** The text with long lists in brackets shortened: `[i0 .. i63]`, `[-1 x7 k7 k8 k9]`. */
export function shortened(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]/g, (whole, list: string) => {
    const words = list.split(' ');
    return words.length <= LIST_MAX ? whole : `[${pieces(words).join(' ')}]`;
  });
}

function pieces(words: readonly string[]): readonly string[] {
  const told: { text: string; words: number }[] = [];
  for (let start = 0; start < words.length; ) {
    const end = endOf(words, start);
    const first = words[start] ?? '';
    const last = words[end - 1] ?? '';
    if (end - start < 3) for (const word of words.slice(start, end)) told.push({ text: word, words: 1 });
    else told.push({ text: first === last ? `${first} x${end - start}` : `${first} .. ${last}`, words: end - start });
    start = end;
  }
  if (told.length <= LIST_MAX) return told.map(({ text }) => text);
  const shown = told.slice(0, PIECES_MAX);
  const rest = words.length - shown.reduce((sum, piece) => sum + piece.words, 0);
  return [...shown.map(({ text }) => text), `... ${rest} more`];
}

/** The end of the run of equal or consecutive words that begins at a place. */
function endOf(words: readonly string[], start: number): number {
  let end = start + 1;
  const step = stepBetween(words[start], words[end]);
  if (step === undefined) return end;
  while (stepBetween(words[end - 1], words[end]) === step) end += 1;
  return end;
}

/** 0 for equal words, 1 for consecutive ones such as `i7` and `i8`. */
function stepBetween(left: string | undefined, right: string | undefined): 0 | 1 | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (left === right) return 0;
  const [, use, number] = /^([a-z]+)(\d+)$/.exec(left) ?? [];
  return use !== undefined && right === `${use}${Number(number) + 1}` ? 1 : undefined;
}
