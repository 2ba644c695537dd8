import type { Operation, Scenario } from '#vocabulary';
import { smaller } from './smaller.ts';

/** A kind of number that operations have in common: where one means the same as another, both stay the same. */
type Numbers = 'pasid' | 'handle' | 'descriptor';

const NUMBERS: readonly Numbers[] = ['pasid', 'handle', 'descriptor'];

type Renaming = (number: number) => number;

/** The scenario with one of its PASIDs, handles or descriptors by a smaller number, wherever it is spoken of. */
export function* withSmallerNumbers(scenario: Scenario): Generator<Scenario> {
  const descriptors = [...new Set(scenario.operations.flatMap((operation) => numberOf(operation, 'descriptor') ?? []))];
  yield renumbered(scenario, 'descriptor', (number) => descriptors.indexOf(number));
  for (const which of NUMBERS) {
    for (const old of numbersOf(scenario, which)) {
      for (const name of lower(old)) yield renumbered(scenario, which, (number) => (number === old ? name : number));
    }
  }
}

function lower(number: number): number[] {
  return [...new Set([0, 1, ...smaller(number)])].filter((less) => less < number);
}

/**
 * The scenario with the numbers that the host gives in order moved down by one: as when somebody before has gone. All
 * PASIDs, all handles, both; or those from some number on.
 */
export function* withNumbersMovedDown(scenario: Scenario): Generator<Scenario> {
  for (const from of numbersOf(scenario, 'handle')) {
    if (from > 0) yield renumbered(scenario, 'handle', down(from));
    // Or by several, where one operation has taken several.
    for (const name of lower(from)) yield renumbered(scenario, 'handle', (number) => (number === from ? name : number));
  }
  for (const from of numbersOf(scenario, 'pasid')) {
    if (from > 1) yield renumbered(scenario, 'pasid', down(from));
  }
  yield renumbered(renumbered(scenario, 'pasid', down(2)), 'handle', down(1));
}

function down(from: number): Renaming {
  return (number) => (number >= from ? number - 1 : number);
}

/** Each once, ascending. */
function numbersOf({ config, operations }: Scenario, which: Numbers): number[] {
  const isHandle = which === 'handle' && config.mdev?.releaseBy === 'handle';
  const found = operations.flatMap(
    (operation) =>
      numberOf(operation, which) ?? (isHandle && operation.kind === 'guest.releaseHandle' ? operation.operand : []),
  );
  return [...new Set(found)].sort((left, right) => left - right);
}

function numberOf(operation: Operation, which: Numbers): number | undefined {
  switch (which) {
    case 'pasid':
      return 'pasid' in operation ? operation.pasid : undefined;
    case 'handle':
      return 'handle' in operation ? operation.handle : undefined;
    case 'descriptor':
      return 'descriptor' in operation ? operation.descriptor : undefined;
  }
}

function renumbered({ config, operations }: Scenario, which: Numbers, name: Renaming): Scenario {
  const isHandle = which === 'handle' && config.mdev?.releaseBy === 'handle';
  return {
    config,
    operations: operations.map((operation) => {
      if (isHandle && operation.kind === 'guest.releaseHandle')
        return { ...operation, operand: name(operation.operand) };
      const number = numberOf(operation, which);
      return number === undefined ? operation : { ...operation, [which]: name(number) };
    }),
  };
}
