import { writeFileSync } from 'node:fs';
import { IMS_WORK_OPERATIONS, imsWork } from '../impl/optimised/ims-costs.ts';
import { platformOf } from '../model/profiles.ts';
import { growthCosts } from '../properties/runner/growth-cost.ts';
import { engineRows } from '../reports/bench/engine.ts';
import { type BenchPair, measureRows, type Work } from '../reports/bench/turns.ts';
import { type BenchRow, benchJson } from '../reports/bench-json.ts';
import { benchText } from '../reports/bench-text.ts';
import { growthText } from '../reports/growth-text.ts';
import { readBench } from '../reports/read-bench.ts';
import { EXIT, factoryOf, makeRoom, optional, parse, readText, UnavailableError } from './arguments.ts';
import { palette } from './shown.ts';

/** Vectors whose growth is counted: more tell the same, and 2,048 take seconds. */
export const GROWTH_VECTORS: readonly number[] = [8, 64, 256];

/** The largest IMS table, with 4,096 mdevs, and a small one, with 16. */
const IMS_LARGE = 65_536;
const IMS_SMALL = 256;
const SCENARIOS = 1000;

/** Every benchmark: each row is a ratio of two things done in the same run. */
export async function measure(args: readonly string[]): Promise<number> {
  const { values } = parse(args, { json: { type: 'string' }, compare: { type: 'string' } });
  const before = optional(values.compare, (file) => readBench(readText(file), file));
  await requirePeers();
  if (values.json !== undefined) makeRoom(values.json);
  const rows: BenchRow[] = [];
  for (const part of [engine, allocation, ims]) {
    const measured = await part();
    rows.push(...measured);
    process.stdout.write(`${benchText(measured, palette(), before)}\n`);
  }
  process.stdout.write(`${growthText(growthCosts(GROWTH_VECTORS), palette())}\n`);
  if (values.json !== undefined) writeFileSync(values.json, benchJson(rows));
  return EXIT.held;
}

async function engine(): Promise<readonly BenchRow[]> {
  const profile = 'linux-6.12';
  const optimised = await factoryOf('optimised', undefined).start();
  return engineRows({ optimised, profile, platform: platformOf(profile), scenarios: SCENARIOS });
}

/**
 * The peers are installed with the repository, and not with the package.
 * @throws UnavailableError
 */
async function requirePeers(): Promise<void> {
  try {
    await import('../reports/bench/allocators.ts');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new UnavailableError(
      'bench: what it measures against is not installed; npm install mnemonist@0.40 typedfastbitset@0.8',
    );
  }
}

async function allocation(): Promise<readonly BenchRow[]> {
  const { allocationRows } = await import('../reports/bench/allocation.ts');
  return allocationRows();
}

async function ims(): Promise<readonly BenchRow[]> {
  const large = imsWork(IMS_LARGE);
  const small = imsWork(IMS_SMALL);
  const against = `the same with ${IMS_SMALL}`;
  const pairs: readonly BenchPair[] = [
    ['free an entry, allocate one', counted(large.allocateAndFree), against, counted(small.allocateAndFree)],
    ['check a descriptor', counted(large.check), against, counted(small.check)],
    ['translate a guest PASID', counted(large.translate), against, counted(small.translate)],
    ['free a PASID, allocate one', counted(large.allocateAndFreePasid), against, counted(small.allocateAndFreePasid)],
    ['a guest frees a PASID, binds it', counted(large.freeAndBind), against, counted(small.freeAndBind)],
  ];
  const mebibytes = (large.bytes / 2 ** 20).toFixed(2);
  return measureRows(`IMS, ${IMS_LARGE.toLocaleString('en')} entries and 4,096 mdevs in ${mebibytes} MiB`, pairs);
}

function counted(work: () => unknown): Work {
  return () => {
    work();
    return IMS_WORK_OPERATIONS;
  };
}
