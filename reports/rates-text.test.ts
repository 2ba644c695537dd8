import { describe, expect, it } from 'vitest';
import { rateLine } from './rates-text.ts';

const PATTERNS = ['swap', 'add others'];

describe('a rate', () => {
  it('is two counts, and no verdict', () => {
    const counts = { fired: 12_345, lost: 4 };
    expect(rateLine('linux-6.12', { processors: 2, pattern: 'swap', counts }, PATTERNS)).toBe(
      'linux-6.12  2 processors  swap           4 of    12,345 events lost',
    );
  });

  it('says what a kernel cannot do', () => {
    expect(rateLine('linux-6.1', { processors: 1, pattern: 'add others', counts: undefined }, PATTERNS)).toBe(
      'linux-6.1   1 processor   add others  this kernel cannot',
    );
  });
});
