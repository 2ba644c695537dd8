// What a README shows of a terminal: which commands, how they are run here, whether the output is as shown.

/** One command of a console block, with the output shown below it. */
export interface ShownCommand {
  readonly command: string;
  /** 1 for the first line of the README. */
  readonly line: number;
  readonly output: readonly string[];
}

/** A fenced ```console block; its commands belong to one story. */
export interface ConsoleBlock {
  readonly line: number;
  readonly commands: readonly ShownCommand[];
}

/** The console blocks of a Markdown text whose first line is a command. */
export function consoleBlocks(markdown: string): readonly ConsoleBlock[] {
  return [...markdown.matchAll(/^([ \t]*)```console[ \t]*\n([\s\S]*?)^[ \t]*```[ \t]*$/gm)].flatMap((match) => {
    const [, indent = '', body = ''] = match;
    const first = markdown.slice(0, match.index).split('\n').length + 1;
    const lines = body.split('\n').map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    if (!lines[0]?.startsWith('$ ')) return [];
    return [{ line: first - 1, commands: commandsOf(lines.slice(0, -1), first) }];
  });
}

function commandsOf(lines: readonly string[], first: number): readonly ShownCommand[] {
  const commands: { command: string; line: number; output: string[] }[] = [];
  let continued = false;
  lines.forEach((line, place) => {
    const last = commands.at(-1);
    if (continued && last !== undefined) last.command += ` ${line.replace(/^> /, '').trim()}`;
    else if (line.startsWith('$ ')) commands.push({ command: line.slice(2), line: first + place, output: [] });
    else last?.output.push(line);
    const open = commands.at(-1);
    continued = open !== undefined && open.output.length === 0 && open.command.endsWith('\\');
    if (continued && open !== undefined) open.command = open.command.slice(0, -1).trimEnd();
  });
  return commands;
}

/** How a part of a command line is treated here. */
export type Treatment =
  | { readonly how: 'run'; readonly script: string }
  /** A script of package.json that something else runs: it is only checked to exist. */
  | { readonly how: 'exists'; readonly npmScript: string }
  /** Run when these systems are ready; else only its flags are checked. */
  | { readonly how: 'run-if-ready'; readonly script: string; readonly systems: readonly string[] }
  /** Changes the machine or leaves the repository: not run here. */
  | { readonly how: 'read' };

/** Commands that take `--out`; each run here gets a folder of its own. */
const WITH_OUT = ['run', 'report', 'explore'];

export function treatmentOf(part: string, out: string): Treatment {
  if (/^(git clone|cd|sudo|apt-get|apt)\b/.test(part)) return { how: 'read' };
  const npmScript = /^npm (?:run )?(ci|install|test|t|[\w:-]+)(?= |$)/.exec(part)?.[1];
  if (npmScript !== undefined && npmScript !== 'start') return { how: 'exists', npmScript };
  const script = (npmScript === undefined ? part : startScript(part, out)).replaceAll('reports/out', out);
  const systems = [...part.matchAll(/--system[ =]['"]?((?:linux|qemu|stack)[-:][^\s'"]+)/g)].map(
    (match) => match[1] ?? '',
  );
  return systems.length > 0 ? { how: 'run-if-ready', script, systems } : { how: 'run', script };
}

/** `npm start -- run` as what it stands for: without npm's own lines, and with the output where it does no harm. */
function startScript(part: string, out: string): string {
  const rest = part.replace(/^npm (?:run )?start(?: --(?= |$))?/, '').trimStart();
  const command = /^[a-z]+(?= |$)/.exec(rest)?.[0];
  const options = command === undefined ? rest : rest.slice(command.length).trimStart();
  const own = WITH_OUT.includes(command ?? 'run') && !/(^| )--out\b/.test(options);
  return ['npx tsx cli.ts', command ?? '', own ? `--out '${out}'` : '', options]
    .filter((word) => word !== '')
    .join(' ');
}

/** The flags of a command line, as `--name`. */
export function flagsOf(command: string): readonly string[] {
  const args = command.replace(/^npm (?:run )?start(?: --(?= |$))?/, '');
  return [...args.matchAll(/(?:^| )(--[a-z][\w-]*)/g)].map((match) => match[1] ?? '');
}

/**
 * Compares what is shown with what came. A line `...` stands for any number of lines; `…` or `[..]` in a line stands
 * for any text.
 * Returns undefined when they agree, else the shown line that has no counterpart and what came in its place.
 */
export function outputMismatch(shown: readonly string[], came: readonly string[]): string | undefined {
  const expected = tidied(withoutNpmLines(shown));
  const actual = tidied(came);
  // The places in `actual` up to which the lines shown so far can reach.
  let places: readonly number[] = [0];
  for (const line of expected) {
    const from = places[0] ?? 0;
    const shape = shapeOf(line);
    places =
      line.trim() === '...'
        ? Array.from({ length: actual.length - from + 1 }, (_, step) => from + step)
        : places.filter((place) => shape.test(actual[place] ?? '\0')).map((place) => place + 1);
    if (places.length === 0) return `shown: ${line}\ncame:  ${actual[from] ?? '(nothing more)'}`;
  }
  if (places.includes(actual.length)) return undefined;
  return `shown: (nothing more)\ncame:  ${actual[places.at(-1) ?? 0]}`;
}

function shapeOf(line: string): RegExp {
  const parts = line.split(/…|\[\.\.\]/).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

function withoutNpmLines(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line !== '' && !line.startsWith('> '));
  return lines[0]?.startsWith('> ') || lines[1]?.startsWith('> ') ? lines.slice(Math.max(first, 0)) : lines;
}

/** Without colours, trailing blanks, and empty lines at both ends. */
function tidied(lines: readonly string[]): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const plain = lines.map((line) => line.replace(/\u001b\[[\d;]*m/g, '').trimEnd());
  const first = plain.findIndex((line) => line !== '');
  return first < 0 ? [] : plain.slice(first, plain.findLastIndex((line) => line !== '') + 1);
}
