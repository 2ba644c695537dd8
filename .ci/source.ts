import { posix } from 'node:path';

// Reads TypeScript as text. The formatter leaves few shapes, so this sees imports and functions without a parser.

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly bytes: number;
}

export interface Import {
  readonly specifier: string;
  /** A path of the repository for a relative import, else the specifier. */
  readonly target: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

const COMMENT = String.raw`\/\*[\s\S]*?\*\/|\/\/[^\n]*`;
const STRING = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`;
const TEMPLATE = '`(?:\\\\[\\s\\S]|\\$\\{(?:[^{}`]|`(?:\\\\.|[^`\\\\])*`|\\{[^{}]*\\})*\\}|\\$(?!\\{)|[^`\\\\$])*`';
// The formatter puts a space behind the slash of a division, so a slash without one begins a regular expression.
const REGEXP = String.raw`\/(?![*\/ ])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^\/\\\n[])+\/[a-z]*`;
const TOKENS = new RegExp([COMMENT, STRING, TEMPLATE, REGEXP].join('|'), 'g');

/** The text with comments, strings and regular expressions blanked; places and line ends stay. */
export function codeOf(text: string): string {
  return text.replace(TOKENS, blank);
}

function withoutComments(text: string): string {
  return text.replace(TOKENS, (token) => (/^\/[/*]/.test(token) ? blank(token) : token));
}

function blank(token: string): string {
  return token.replace(/[^\n]/g, ' ');
}

/** Reads imports with a regular expression: the formatter leaves only few shapes. */
export function importsOf(file: SourceFile): readonly Import[] {
  const code = codeOf(file.text);
  const shape =
    /(?<=^|\n)[ \t]*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?'([^'\n]+)'|\bimport\(\s*'([^'\n]+)'/g;
  return [...withoutComments(file.text).matchAll(shape)].flatMap((match) => {
    const at = match.index + match[0].search(/\S/);
    // Blank there: it stands in a string.
    if (code[at] === ' ') return [];
    const specifier = match[2] ?? match[3] ?? '';
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : specifier;
    return [{ specifier, target, line: lineAt(file.text, at), typeOnly: match[1] !== undefined }];
  });
}

export interface FunctionText {
  readonly name: string;
  readonly exported: boolean;
  /** 1 for the first line of the file. */
  readonly line: number;
  readonly lines: readonly string[];
  /** The doc comment right above, or an empty string. */
  readonly doc: string;
}

const FUNCTION_HEADS = [
  /^( *)(export )?(?:async )?function\*? (\w+)/,
  /^( *)(export )?const (\w+)(?:: [^=]+)? = (?:async )?(?:\($|(?:\(.*\)|\w+)(?:: .+)? =>)/,
  /^( +)()(?!(?:if|for|while|switch|catch|function)\b)(?:[a-z]+ )*[#*]?(\w+)\([^=]*\)(?:: [^=]*)? \{$/,
];

/** Functions, methods and arrow functions with a name, found by the indentation that the formatter guarantees. */
export function functionsOf(text: string): readonly FunctionText[] {
  const raw = text.split('\n');
  const code = codeOf(text).split('\n');
  return code.flatMap((head, start) => {
    const match = FUNCTION_HEADS.map((shape) => shape.exec(head)).find((found) => found !== null);
    if (match === undefined || match === null) return [];
    const [, indent = '', exported, name = ''] = match;
    const open = /[{(]$/.test(head.trimEnd());
    const last = open ? new RegExp(`^${indent}\\}[;,)]*$`) : /[;}]$/;
    const length = code.slice(start).findIndex((line, place) => (place > 0 || !open) && last.test(line.trimEnd())) + 1;
    const lines = raw.slice(start, start + Math.max(length, 1));
    return [
      { name, exported: exported !== undefined && exported !== '', line: start + 1, lines, doc: docAbove(raw, start) },
    ];
  });
}

function docAbove(lines: readonly string[], start: number): string {
  if (!lines[start - 1]?.trimEnd().endsWith('*/')) return '';
  const first = lines.slice(0, start).findLastIndex((line) => line.trimStart().startsWith('/**'));
  return first < 0 ? '' : lines.slice(first, start).join('\n');
}

/** 1 for the first line. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
