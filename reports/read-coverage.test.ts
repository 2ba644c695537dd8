import { expect, it } from 'vitest';
import { readCoverage } from './read-coverage.ts';
import { SummaryError } from './read-json.ts';

const share = (covered: number, total: number) => ({ total, covered, skipped: 0, pct: 50 });
const counts = (covered: number, total: number) => ({ lines: share(covered, total), branches: share(1, 2) });

it('adds up the files of a room, wherever the repository lay', () => {
  const files = {
    total: counts(9, 40),
    '/home/reports/suite/model/pci/event.ts': counts(1, 10),
    '/home/reports/suite/model/machine.ts': counts(2, 10),
    '/home/reports/suite/impl/optimised/machine.ts': counts(3, 10),
    '/home/reports/suite/reports/html.ts': counts(3, 10),
  };
  expect(readCoverage(JSON.stringify(files), 'coverage-summary.json')).toEqual([
    { room: 'model', lines: { covered: 3, total: 20 }, branches: { covered: 2, total: 4 } },
    { room: 'impl/optimised', lines: { covered: 3, total: 10 }, branches: { covered: 1, total: 2 } },
    { room: 'reports', lines: { covered: 3, total: 10 }, branches: { covered: 1, total: 2 } },
  ]);
});

it('refuses what is no such summary in one line', () => {
  const broken = '{"total": {"lines": {"total": -1, "covered": 0}}}';
  expect(() => readCoverage(broken, 'x.json')).toThrow(SummaryError);
  expect(() => readCoverage(broken, 'x.json')).toThrow(/^x\.json: total\.lines\.total: /);
});
