import { z } from 'zod';
import { readAs } from './read-json.ts';

/** How much of the code of a room the tests have run, as V8 counts it. */
export interface CodeCoverage {
  readonly room: string;
  readonly lines: Share;
  readonly branches: Share;
}

interface Share {
  readonly covered: number;
  readonly total: number;
}

const share = z.object({ total: z.int().min(0), covered: z.int().min(0) });
const summary = z.record(z.string(), z.object({ lines: share, branches: share }));

/** The rooms whose code is counted. */
const ROOMS = ['model', 'impl/optimised', 'properties', 'reports'] as const;

/**
 * The summary that `npm run coverage` writes, by room; a room without files is left out.
 * @throws SummaryError
 */
export function readCoverage(text: string, file: string): readonly CodeCoverage[] {
  const files = Object.entries(readAs(summary, text, file)).filter(([path]) => path !== 'total');
  // The paths are those of the machine that counted: what all have in common is where the repository lay.
  const root = commonFolder(files.map(([path]) => path));
  return ROOMS.map((room): CodeCoverage => {
    const own = files.filter(([path]) => path.slice(root.length).startsWith(`${room}/`)).map(([, counts]) => counts);
    return { room, lines: sumOf(own.map(({ lines }) => lines)), branches: sumOf(own.map(({ branches }) => branches)) };
  }).filter(({ lines }) => lines.total > 0);
}

function commonFolder(paths: readonly string[]): string {
  const [first = ''] = paths;
  let end = first.length;
  for (const path of paths) while (!path.startsWith(first.slice(0, end))) end -= 1;
  return first.slice(0, first.lastIndexOf('/', end - 1) + 1);
}

function sumOf(shares: readonly Share[]): Share {
  return {
    covered: shares.reduce((sum, { covered }) => sum + covered, 0),
    total: shares.reduce((sum, { total }) => sum + total, 0),
  };
}
