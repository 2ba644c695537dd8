import { describe, expect, it } from 'vitest';
import { counted, enumerated, wrap } from './layout.ts';
import { printable } from './printable.ts';

describe('wrap', () => {
  it('breaks between words', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
  });

  it('breaks a word that is too long, so that nothing is cut off', () => {
    expect(wrap('a abcdefgh', 3)).toEqual(['a', 'abc', 'def', 'gh']);
  });

  it('keeps the lines and their indentation', () => {
    expect(wrap('first\n  second part', 8)).toEqual(['first', '  second', '  part']);
  });

  it('makes one empty line of nothing', () => {
    expect(wrap('', 8)).toEqual(['']);
  });
});

describe('words for numbers', () => {
  it('counts', () => {
    expect([counted(0, 'scenario'), counted(1, 'scenario'), counted(1234, 'scenario')]).toEqual([
      '0 scenarios',
      '1 scenario',
      '1,234 scenarios',
    ]);
  });

  it('enumerates', () => {
    expect([[4], [1, 4], [1, 2, 4]].map((numbers) => enumerated('operation', numbers))).toEqual([
      'operation 4',
      'operations 1 and 4',
      'operations 1, 2 and 4',
    ]);
  });
});

describe('printable', () => {
  it('shows what a terminal would obey, and leaves the rest alone', () => {
    expect(printable('a\u001b[2J\u0000\u007f\u009b\u202e\ud800\tß\n✓')).toBe('a␛[2J␀␡\ufffd\ufffd\ufffd\tß\n✓');
  });
});
