import { expect, it } from 'vitest';
import { coverageSection } from './html-coverage.ts';
import { type Content, markup } from './markup.ts';

const textOf = (content: Content): string => markup`${content}`.markup;

it('a room is a row, with a link to every line', () => {
  const page = textOf(
    coverageSection([
      { room: 'model', lines: { covered: 199, total: 200 }, branches: { covered: 1, total: 3 } },
      { room: 'reports', lines: { covered: 1, total: 1 }, branches: { covered: 0, total: 0 } },
    ]),
  );
  expect(page).toContain('<a href="coverage/index.html">');
  expect(page.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')).toContain(
    'room lines branches model 99.5 % 33.3 % reports 100.0 % none',
  );
});

it('is not there where nothing was counted', () => {
  expect(coverageSection(undefined)).toBe('');
});
