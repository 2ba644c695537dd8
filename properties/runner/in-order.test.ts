import { expect, it } from 'vitest';
import { inOrder } from './in-order.ts';

it('what comes is handed on once, as soon as all before it has come', () => {
  const handedOn: number[] = [];
  const take = inOrder(({ of }: { of: number }) => handedOn.push(of));
  const afterEach = [2, 0, 1, 3, 5, 4].map((of) => {
    take(of, { of });
    return [...handedOn];
  });
  expect(afterEach).toEqual([[], [0], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3, 4, 5]]);
});
