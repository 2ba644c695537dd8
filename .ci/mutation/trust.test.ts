import { expect, it } from 'vitest';
import { unmet } from './trust.ts';

const location = { start: { line: 3, column: 7 } };
const mutant = { mutatorName: 'BooleanLiteral', replacement: 'false', location };

it('a survivor that no test has met is no survivor', () => {
  const mutants = [
    { ...mutant, status: 'Survived', testsCompleted: 2 },
    { ...mutant, status: 'Survived', testsCompleted: 0 },
    { ...mutant, status: 'NoCoverage' },
    { ...mutant, status: 'Timeout' },
  ];
  expect(unmet({ files: { 'a.ts': { mutants } } })).toEqual([
    'a.ts:3:7: BooleanLiteral false survived, and no test was run',
  ]);
});
