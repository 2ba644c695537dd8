import { IMPORTS, type ImportRow } from './imports.ts';
import { codeOf, functionsOf, importsOf, lineAt, type SourceFile } from './source.ts';

/** The house rules as pure functions of the files: what a machine can see, a reviewer need not look for. */
export interface Rule {
  readonly id: string;
  readonly reason: string;
  check(files: readonly SourceFile[]): readonly Finding[];
}

export interface Finding {
  readonly path: string;
  /** 1 for the first line. */
  readonly line: number;
  readonly what: string;
}

const TYPESCRIPT = /\.ts$/;
/** The lock file is npm's, and the rules about text must name what they forbid. */
const OURS = /^(?!package-lock\.json$|\.ci\/tidy(\.test)?\.ts$)/;
const RULE_FILES = /^model\/(pci|irq|vfio|ims|qemu)\/(?!.*\.test\.ts$).*\.ts$/;
const WITHOUT_DEFAULT = /^(model|impl\/optimised|properties)\/.*\.ts$/;

function eachFile(where: RegExp, check: (file: SourceFile) => readonly Omit<Finding, 'path'>[]): Rule['check'] {
  return (files) =>
    files
      .filter(({ path }) => where.test(path))
      .flatMap((file) => check(file).map((finding) => ({ path: file.path, ...finding })));
}

/** Forbids a pattern in the code, that is outside comments and strings, or in the whole text. */
function ban(layer: 'code' | 'text', where: RegExp, pattern: RegExp, instead: string): Rule['check'] {
  return eachFile(where, ({ text }) =>
    [...(layer === 'code' ? codeOf(text) : text).matchAll(pattern)].map((match) => ({
      line: lineAt(text, match.index + match[0].search(/\S/)),
      what: `\`${match[0].trim()}\`: ${instead}`,
    })),
  );
}

const allowed = (target: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) =>
    pattern === '*'
      ? !target.startsWith('vitest')
      : /[/:]$/.test(pattern)
        ? target.startsWith(pattern)
        : target === pattern,
  );

const checkImports = eachFile(TYPESCRIPT, (file) => {
  const row = IMPORTS.find(({ from }) => from.test(file.path));
  if (row === undefined) return [{ line: 1, what: 'has no row in the import table of .ci/imports.ts: give it one' }];
  return importsOf(file)
    .filter(({ target, typeOnly }) => !allowed(target, typeOnly ? [...row.may, ...(row.mayType ?? [])] : row.may))
    .map(({ line, specifier }) => ({
      line,
      what: `imports '${specifier}'; may import ${mayOf(row)} (${row.reason})`,
    }));
});

function mayOf({ may, mayType }: ImportRow): string {
  return [...may, ...(mayType ?? []).map((target) => `types of ${target}`)].join(', ');
}

const checkResolution: Rule['check'] = (files) => {
  const known = new Set(files.map(({ path }) => path));
  return eachFile(TYPESCRIPT, (file) =>
    importsOf(file)
      .filter(({ specifier, target }) => specifier.startsWith('.') && !(TYPESCRIPT.test(target) && known.has(target)))
      .map(({ line, specifier }) => ({ line, what: `'${specifier}' is not a .ts file of the repository` })),
  )(files);
};

const checkCycles: Rule['check'] = (files) => {
  const graph = new Map(files.filter(({ path }) => TYPESCRIPT.test(path)).map((file) => [file.path, importsOf(file)]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[], line: number): readonly Finding[] => {
    const from = trail.indexOf(path);
    if (from >= 0) return [{ path: trail.at(-1) ?? path, line, what: [...trail.slice(from), path].join(' -> ') }];
    if (done.has(path)) return [];
    const findings = (graph.get(path) ?? [])
      .filter(({ typeOnly }) => !typeOnly)
      .flatMap((found) => {
        const target = found.target === '#vocabulary' ? 'model/vocabulary/index.ts' : found.target;
        return visit(target, [...trail, path], found.line);
      });
    done.add(path);
    return findings;
  };
  return [...graph.keys()].flatMap((path) => visit(path, [], 1));
};

const checkLineLength = eachFile(TYPESCRIPT, ({ text }) =>
  text
    .split('\n')
    .flatMap((line, index) => (line.length > 120 ? [{ line: index + 1, what: `${line.length} columns` }] : [])),
);

/** What stands in a golden folder was written by a program. */
const checkFileLength = eachFile(/^\.ci\/run$|^(?!.*\/golden\/).*\.(ts|js|css|c|h)$/, ({ path, text }) => {
  const lines = text.split('\n').length - 1;
  // Tests and scenarios are lists of cases; the command line is the list of commands.
  const most = /\.test\.ts$|^properties\/scenarios\//.test(path) ? 700 : 400;
  return lines > most && !path.endsWith('/agent.c')
    ? [{ line: most + 1, what: `${lines} lines, at most ${most}` }]
    : [];
});

const checkFunctionLength = eachFile(TYPESCRIPT, ({ text }) =>
  functionsOf(text)
    .filter(({ lines }) => lines.length > 80)
    .map(({ line, name, lines }) => ({ line, what: `${name} has ${lines.length} lines, at most 80` })),
);

const checkFileSize = eachFile(/^/, ({ bytes }) =>
  bytes > 2 ** 20 ? [{ line: 1, what: `${bytes} bytes, at most 1 MiB` }] : [],
);

const checkDocs = eachFile(RULE_FILES, ({ text }) =>
  functionsOf(text)
    .filter(({ exported, doc }) => exported && doc === '')
    .map(({ line, name }) => ({ line, what: `${name} is exported without a doc comment` })),
);

const checkCitations = eachFile(RULE_FILES, ({ text }) =>
  functionsOf(text)
    .filter(({ exported, lines }) => exported || lines.length > 3)
    .filter(({ lines, doc }) => !/\bcite\(/.test(codeOf(lines.join('\n'))) && !/\bSource:/.test(doc))
    .map(({ line, name }) => ({ line, what: `${name} cites no clause, and its doc comment has no "Source:"` })),
);

const SOURCES = [
  {
    names: 'a kernel function with its version',
    shape: /\b_*[a-z0-9]+(_[a-z0-9]+)+\b[\s\S]*\bLinux (before )?\d+\.\d+/,
  },
  {
    names: 'a function of QEMU with its version',
    shape: /\b_*[a-z0-9]+(_[a-z0-9]+)+\b[\s\S]*\bQEMU (before )?\d+\.\d+/,
  },
  { names: 'a section of PCIe', shape: /\bPCIe \d+(\.\d+)*, \d+(\.\d+)+/ },
  { names: 'a section of DSA', shape: /\bDSA \d+(\.\d+)*, \d+(\.\d+)*/ },
  { names: 'a publication with its year', shape: /\b20[12]\d\b/ },
  { names: '`ours`', shape: /\bours\b/ },
];

const checkClauses = eachFile(RULE_FILES, ({ path, text }) => {
  const block = /\bdeclare\(\{\n([\s\S]*?)^\}\);/m.exec(text);
  if (block === null)
    return /\bdeclare\(/.test(codeOf(text)) ? [{ line: 1, what: 'declare({...}) is not at the top' }] : [];
  const place = path.replace(/^model\/|\.ts$/g, '').replace('/', '.');
  return [...(block[1] ?? '').matchAll(/^ {2}(\w+): \{([\s\S]*?)\},$/gm)].flatMap(([whole, key, body = '']) => {
    const field = (name: string): string =>
      new RegExp(`\\b${name}:\\s*(['"])((?:\\\\.|(?!\\1).)*)\\1`).exec(body)?.[2]?.trim() ?? '';
    const mistakes = [
      field('id').startsWith(`${place}.`) ? '' : `has an id that does not begin with '${place}.'`,
      field('title') === '' ? 'has no title' : '',
      SOURCES.some(({ shape }) => shape.test(field('source')))
        ? ''
        : `has a source that names neither ${namesOfSources()}`,
      new RegExp(`\\bCLAUSE\\.${key}\\b`).test(codeOf(text)) ? '' : 'is cited nowhere in its file',
    ];
    const line = lineAt(text, text.indexOf(whole));
    return mistakes.filter((mistake) => mistake !== '').map((mistake) => ({ line, what: `clause ${key} ${mistake}` }));
  });
});

function namesOfSources(): string {
  return SOURCES.map(({ names }) => names).join(' nor ');
}

export const RULES: readonly Rule[] = [
  { id: 'imports', reason: 'a value walks the rooms one way, and each room can be read alone', check: checkImports },
  { id: 'resolution', reason: 'the source runs as it is, and Node guesses no extension', check: checkResolution },
  { id: 'cycles', reason: 'what a file needs can be read before it', check: checkCycles },
  {
    id: 'no-switched-off-tests',
    reason: 'a test that does not run is not there',
    check: ban('code', TYPESCRIPT, /\b(?:it|test|describe)(?:\.\w+)*\.(?:only|skip|todo)\b/g, 'run it or delete it'),
  },
  {
    id: 'no-promises',
    reason: 'what is left to do is done before it is committed',
    check: ban('text', OURS, /\b(?:FIXME|XXX|TODO)\b/g, 'do it, or say as a fact what is left out and why'),
  },
  {
    id: 'shifts',
    reason: 'a shift by 32 or more is a shift by less: two historic faults are exactly this',
    check: ban(
      'code',
      /^(model|impl\/optimised)\/.*\.ts$/,
      /\s(?:<<|>>>?)=?\s+(?!\d)(?!\([^()]*& 31\))\S+/g,
      'shift by (place & 31), and choose the word by place >>> 5',
    ),
  },
  {
    id: 'no-default-branch',
    reason: 'a new operation must not compile until every switch has an answer',
    check: ban('code', WITHOUT_DEFAULT, /^\s*default:/gm, 'name every case and return from it'),
  },
  {
    id: 'no-any',
    reason: 'one any switches the compiler off for everything it touches',
    check: ban('code', TYPESCRIPT, /(?<![.\w$-])any\b(?!\s*[(:])/g, 'use unknown, and narrow it'),
  },
  {
    id: 'no-non-null',
    reason: 'what cannot be missing needs no mark, and what can needs an answer',
    check: ban('code', TYPESCRIPT, /[\w\])]!(?!=)/g, 'handle the missing value'),
  },
  {
    id: 'no-printing',
    reason: 'only the command line talks to the terminal',
    check: ban('code', /^(?!cli\.ts$|impl\/install\.ts$).*\.ts$/, /\bconsole\.log\b/g, 'return the text'),
  },
  {
    id: 'no-machine-paths',
    reason: 'a clone works anywhere',
    check: ban('text', OURS, /(?<![\w.-])\/(?:work|farm)\/|\.\.\/shared\b/g, 'use a path inside the repository'),
  },
  {
    id: 'no-registry-hosts',
    reason: 'where packages come from is the configuration of the machine',
    check: ban('text', OURS, /https?:\/\/(?:deb|security|registry)\./g, 'leave the host to npm and apt'),
  },
  { id: 'line-length', reason: 'two files fit side by side', check: checkLineLength },
  { id: 'file-length', reason: 'a file is one concept', check: checkFileLength },
  { id: 'function-length', reason: 'a function is seen at once', check: checkFunctionLength },
  { id: 'file-size', reason: 'a clone is quick', check: checkFileSize },
  { id: 'docs', reason: 'the name and one sentence are the table of contents of a layer', check: checkDocs },
  { id: 'citations', reason: 'a rule without a source is an opinion', check: checkCitations },
  { id: 'clauses', reason: 'reports count clauses, so each has a rule, a title and a source', check: checkClauses },
];
