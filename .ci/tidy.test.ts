import { describe, expect, it } from 'vitest';
import { repositoryFiles } from './repository.ts';
import { codeOf, functionsOf } from './source.ts';
import { type Finding, RULES } from './tidy.ts';

/** Files by path, as a rule is shown them. */
type Tree = Readonly<Record<string, string>>;

function check(id: string, tree: Tree): readonly Finding[] {
  const files = Object.entries(tree).map(([path, text]) => ({ path, text, bytes: Buffer.byteLength(text) }));
  return RULES.filter((rule) => rule.id === id).flatMap((rule) => rule.check(files));
}

const show = ({ path, line, what }: Finding): string => `${path}:${line}: ${what}`;
const excerpt = (tree: Tree): string => JSON.stringify(tree).slice(0, 200);
const lines = (count: number): string => '  work();\n'.repeat(count);

const DECLARED = `const CLAUSE = declare({
  argsz: {
    id: 'vfio.set-irqs.argsz',
    title: 'An argsz below 20 is EINVAL.',
    source: 'vfio_set_irqs_validate_and_prepare, Linux 6.1 and 6.12',
  },
});
`;
const CITED = `${DECLARED}
/** The ioctl. */
export function setIrqs(): number {
  cite(CLAUSE.argsz);
  return 0;
}
`;

/** For each rule: trees in which it must find exactly one thing, and trees in which it must find none. */
const PROOFS: readonly { readonly id: string; readonly bad: readonly Tree[]; readonly good: readonly Tree[] }[] = [
  {
    id: 'imports',
    bad: [
      { 'model/pci/msix-table.ts': "import { setIrqs } from '../vfio/set-irqs.ts';" },
      { 'model/irq/msi-domain.ts': "export { setIrqs } from '../vfio/set-irqs.ts';" },
      { 'model/vfio/set-irqs.ts': "import { readFileSync } from 'node:fs';" },
      { 'model/vfio/set-irqs.ts': "import type { Errno } from '../vocabulary/response.ts';" },
      { 'model/vocabulary/trace.ts': "import { cite } from '../cite.ts';" },
      { 'impl/optimised/machine.ts': "const rules = await import('../../model/machine.ts');" },
      { 'impl/linux/system.ts': "import { specify } from '../../model/reference.ts';" },
      { 'impl/index.ts': "import { raise } from '../model/pci/event.ts';" },
      { 'properties/generators/vfio.ts': "import { initial } from '../../model/machine.ts';" },
      { 'properties/invariants/no-leak.ts': "import { step } from '../../model/machine.ts';" },
      { 'properties/scenarios/tian.ts': "import fc from 'fast-check';" },
      { 'properties/runner/lockstep.ts': "import fc from 'fast-check';" },
      { 'properties/runner/run.ts': "import { systems } from '../../impl/index.ts';" },
      { 'properties/runner/campaign.ts': "import { readFileSync } from 'node:fs';" },
      { 'reports/text.ts': "import { judge } from '../properties/runner/verdict.ts';" },
      { 'reports/text.ts': "import { writeFileSync } from 'node:fs';" },
      { 'cli.ts': "import { it } from 'vitest';" },
      { 'properties/unforeseen.ts': 'export {};' },
      { 'model/vfio/set-irqs.ts': "import {\n  a, // why\n  b,\n} from 'zod';" },
    ],
    good: [
      { 'model/pci/msix-table.ts': "import { cite } from '../cite.ts';\nimport type { Errno } from '#vocabulary';" },
      { 'model/vfio/set-irqs.ts': "import { requestIrq } from '../irq/irq-action.ts';" },
      { 'model/vfio/set-irqs.ts': "// import { a } from 'zod';\nconst text = `\nimport 'zod'\n`;" },
      { 'model/vfio/set-irqs.test.ts': "import { it } from 'vitest';\nimport '../machine.ts';" },
      { 'impl/index.ts': "import { specify } from '../model/reference.ts';\nimport './linux/system.ts';" },
      { 'properties/runner/campaign.ts': "import fc from 'fast-check';\nimport './lockstep.ts';" },
      { 'properties/runner/record.ts': "import { z } from 'zod';\nimport { readFileSync } from 'node:fs';" },
      { 'reports/text.ts': "import type { Finding } from '../properties/runner/verdict.ts';" },
      { 'reports/write.ts': "import { writeFileSync } from 'node:fs';" },
    ],
  },
  {
    id: 'resolution',
    bad: [
      { 'cli.ts': "import './impl/index';", 'impl/index.ts': '' },
      { 'cli.ts': "import './impl/index.ts';" },
      { 'cli.ts': "import './package.json';", 'package.json': '' },
    ],
    good: [{ 'cli.ts': "import './impl/index.ts';\nimport 'zod';", 'impl/index.ts': '' }],
  },
  {
    id: 'cycles',
    bad: [
      { 'a.ts': "import './b.ts';", 'b.ts': "import './c.ts';", 'c.ts': "export * from './a.ts';" },
      { 'model/vocabulary/index.ts': "export * from './a.ts';", 'model/vocabulary/a.ts': "import '#vocabulary';" },
    ],
    good: [
      { 'a.ts': "import './b.ts';", 'b.ts': "import type { A } from './a.ts';" },
      { 'a.ts': "import './b.ts';\nimport './c.ts';", 'b.ts': "import './c.ts';", 'c.ts': '' },
    ],
  },
  {
    id: 'no-switched-off-tests',
    bad: [
      { 'a.test.ts': "it.only('works', () => {});" },
      { 'a.test.ts': "describe.skip('works', () => {});" },
      { 'a.test.ts': "test.concurrent.todo('works');" },
    ],
    good: [{ 'a.test.ts': "it('says it.skip', () => {});\nit.skipIf(slow)('works', () => {}); // not it.only" }],
  },
  {
    id: 'no-promises',
    bad: [{ 'a.ts': '// FIXME: overflow' }, { 'README.md': 'TODO' }, { 'impl/linux/agent/agent.c': '/* XXX */' }],
    good: [{ 'a.ts': 'const path = `x-XXXXXX`; // what is left to do' }, { 'package-lock.json': 'TODO' }],
  },
  {
    id: 'shifts',
    bad: [
      { 'impl/optimised/bits.ts': 'const bit = 1 << vector;' },
      { 'model/pci/msix-table.ts': 'word >>>= vector % 32;' },
      { 'model/pci/msix-table.ts': 'const bit = (1 << vector) & 31;' },
    ],
    good: [
      { 'impl/optimised/bits.ts': 'const bit = 1 << (vector & 31);\nconst word = vector >>> 5;' },
      { 'impl/optimised/bits.ts': 'const bits: Map<number, Set<number>> = new Map<number, Set<number>>();' },
      { 'impl/linux/system.ts': 'const bit = 1 << vector;' },
    ],
  },
  {
    id: 'no-default-branch',
    bad: [{ 'model/machine.ts': "switch (kind) {\n  case 'a':\n    return 1;\n  default:\n    return 2;\n}" }],
    good: [{ 'model/machine.ts': "  case 'a':\n  // default:\n" }, { 'cli.ts': '  default:\n' }],
  },
  {
    id: 'no-any',
    bad: [
      { 'a.ts': 'function f(x: any): void {}' },
      { 'a.ts': 'const x = y as any;' },
      { 'a.ts': 'let x: Map<string, any>;' },
    ],
    good: [{ 'a.ts': "// any\nconst x: 'any' = `any`;\nawait Promise.any([]);\nconst y = { any: 1 };" }],
  },
  {
    id: 'no-non-null',
    bad: [{ 'a.ts': 'const x = list[0]!.name;' }, { 'a.ts': 'f(x!);' }, { 'a.ts': 'let x!: number;' }],
    good: [{ 'a.ts': "if (!a && b !== c) f('x!', /y!/, `z!`);" }],
  },
  {
    id: 'no-printing',
    bad: [{ 'reports/text.ts': "console.log('x');" }],
    good: [{ 'cli.ts': "console.log('x');", 'impl/install.ts': "console.log('x');", 'a.ts': '// console.log' }],
  },
  {
    id: 'no-machine-paths',
    bad: [
      { 'README.md': `see /${'work'}/main` },
      { '.ci/run': `cd /${'farm'}/x` },
      { 'a.ts': `import '../${'shared'}/x.ts';` },
    ],
    good: [{ 'README.md': `https://example.org/${'work'}/x and ./${'work'}/x` }],
  },
  {
    id: 'no-registry-hosts',
    bad: [{ 'impl/install.ts': `const mirror = 'https://${'deb'}.example.org/debian';` }],
    good: [{ 'package-lock.json': `https://${'registry'}.example.org/zod`, 'README.md': 'https://www.kernel.org' }],
  },
  {
    id: 'line-length',
    bad: [{ 'a.ts': `// ${'x'.repeat(118)}` }],
    good: [{ 'a.ts': `// ${'x'.repeat(117)}`, 'README.md': 'x'.repeat(200) }],
  },
  {
    id: 'file-length',
    bad: [{ 'a.ts': '\n'.repeat(401) }, { 'a.test.ts': '\n'.repeat(701) }, { '.ci/run': '\n'.repeat(401) }],
    good: [{ 'a.ts': '\n'.repeat(400), 'a.test.ts': '\n'.repeat(700), 'impl/linux/agent/agent.c': '\n'.repeat(900) }],
  },
  {
    id: 'function-length',
    bad: [
      { 'a.ts': `export function long(): void {\n${lines(79)}}\n` },
      { 'a.ts': `function long(\n  a: number,\n): void {\n${lines(77)}}\n` },
      { 'a.ts': `const long = (a: number): void => {\n${lines(79)}};\n` },
      { 'a.ts': `class A {\n  override async long(a: number): Promise<void> {\n${lines(79)}  }\n}\n` },
    ],
    good: [
      { 'a.ts': `function short(): void {\n${lines(78)}}\nfunction other(): void {\n${lines(78)}}\n` },
      { 'a.test.ts': `describe('many', () => {\n${lines(200)}});\n` },
    ],
  },
  { id: 'file-size', bad: [{ 'a.bin': 'x'.repeat(2 ** 20 + 1) }], good: [{ 'a.bin': 'x'.repeat(2 ** 20) }] },
  {
    id: 'docs',
    bad: [
      { 'model/pci/a.ts': 'export function a(): void {}\n' },
      { 'model/irq/a.ts': 'export const a = (): void => {};\n' },
    ],
    good: [
      {
        'model/pci/a.ts': '/** Does it. */\nexport function a(): void {}\nfunction b(): void {}\n',
        'cli.ts': 'export function a(): void {}',
      },
    ],
  },
  {
    id: 'citations',
    bad: [
      { 'model/vfio/a.ts': '/** Does it. */\nexport function a(): number {\n  return 1;\n}\n' },
      { 'model/vfio/a.ts': 'function a(): number {\n  b();\n  return 1; // cite(CLAUSE.a)\n}\n' },
    ],
    good: [
      { 'model/vfio/set-irqs.ts': CITED },
      { 'model/vfio/a.ts': '/**\n * Does it.\n * Source: ours.\n */\nexport function a(): number {\n  return 1;\n}\n' },
      {
        'model/vfio/a.ts': 'function a(): number {\n  return 1;\n}\n',
        'model/machine.ts': 'export function a(): void {}',
      },
    ],
  },
  {
    id: 'clauses',
    bad: [
      { 'model/vfio/set-irqs.ts': DECLARED },
      { 'model/vfio/set-irqs.ts': `${DECLARED}// cite(CLAUSE.argsz);` },
      { 'model/vfio/set-irqs.ts': `${DECLARED}cite(CLAUSE.argszTooSmall);` },
      { 'model/vfio/set-irqs.ts': CITED.replace('An argsz below 20 is EINVAL.', '') },
      { 'model/vfio/set-irqs.ts': CITED.replace('Linux 6.1 and 6.12', '') },
      { 'model/vfio/set-irqs.ts': CITED.replace('vfio_set_irqs_validate_and_prepare, ', '') },
      { 'model/vfio/eventfd.ts': CITED },
      { 'model/vfio/set-irqs.ts': 'const CLAUSE = declare(CLAUSES);\n' },
    ],
    good: [
      { 'model/vfio/set-irqs.ts': CITED, 'model/machine.ts': DECLARED },
      { 'model/vfio/set-irqs.ts': CITED.replace(/source: '.*'/, "source: 'PCIe 6.0, 6.1.4.5'") },
      { 'model/vfio/set-irqs.ts': CITED.replace(/source: '.*'/, "source: 'ours: nobody says'") },
    ],
  },
];

describe('the house rules', () => {
  const files = repositoryFiles();
  for (const rule of RULES)
    it(`${rule.id}: ${rule.reason}`, () => {
      expect(rule.check(files).map(show), `${rule.id}: ${rule.reason}`).toEqual([]);
    });
});

describe('each rule', () => {
  it('has a name of its own and proof that it can fail', () => {
    expect(PROOFS.map(({ id }) => id)).toEqual(RULES.map(({ id }) => id));
  });

  for (const { id, bad, good } of PROOFS) {
    it(`${id} finds the one mistake of each bad example`, () => {
      for (const tree of bad) expect(check(id, tree).map(show), excerpt(tree)).toHaveLength(1);
    });
    it(`${id} finds nothing in the good examples`, () => {
      for (const tree of good) expect(check(id, tree).map(show), excerpt(tree)).toEqual([]);
    });
  }

  it('says where, what, and what is allowed', () => {
    const text = "\nimport { setIrqs } from '../vfio/set-irqs.ts';\n";
    expect(check('imports', { 'model/pci/msix-table.ts': text }).map(show)).toEqual([
      "model/pci/msix-table.ts:2: imports '../vfio/set-irqs.ts'; may import #vocabulary, model/added.ts, " +
        'model/cite.ts, model/vector-set.ts, model/pci/ ' +
        '(the function is the lowest layer: calls go down, interrupts come back as values)',
    ]);
  });
});

describe('reading source as text', () => {
  it('blanks comments, strings, templates and regular expressions, and nothing else', () => {
    const text = `a / b; // c\n/* d\n*/ e('f', \`g \${\`h\`} i\`, /j'[/]/g, k / l);`;
    const blanked = ['a / b;     ', '    ', `   e(${' '.repeat(3)}, ${' '.repeat(12)}, ${' '.repeat(8)}, k / l);`];
    expect(codeOf(text).split('\n')).toEqual(blanked);
  });

  it('finds functions with their lines and doc comments', () => {
    const one = '/** One. */\nexport function one(): void {}\n\n';
    const text = `${one}const two = (a: number) =>\n  a +\n  1;\nclass C {\n  three(): void {\n  }\n}\n`;
    expect(
      functionsOf(text).map(({ name, line, lines, doc, exported }) => [name, line, lines.length, doc, exported]),
    ).toEqual([
      ['one', 2, 1, '/** One. */', true],
      ['two', 4, 3, '', false],
      ['three', 8, 2, '', false],
    ]);
  });
});
