import { IMS_WORK_OPERATIONS, imsWork } from '../impl/optimised/ims-costs.ts';
import { platformOf } from '../model/profiles.ts';
import { growthCosts } from '../properties/runner/growth-cost.ts';
import { coresRows } from '../reports/bench/cores.ts';
import { detectionRows } from '../reports/bench/detection.ts';
import { engineRows } from '../reports/bench/engine.ts';
import { explorationRows } from '../reports/bench/exploration.ts';
import { harnessRows } from '../reports/bench/harnesses.ts';
import { memoryRows } from '../reports/bench/memory.ts';
import { shrinkingRows } from '../reports/bench/shrinking.ts';
import { systemRows } from '../reports/bench/systems.ts';
import { type BenchPair, measureRows, type Work } from '../reports/bench/turns.ts';
import { type BenchRow, benchJson } from '../reports/bench-json.ts';
import { benchText } from '../reports/bench-text.ts';
import { growthText } from '../reports/growth-text.ts';
import { readBench } from '../reports/read-bench.ts';
import { writeWhole } from '../reports/write.ts';
import { EXIT, factoryOf, makeRoom, optional, parse, readText, UnavailableError } from './arguments.ts';
import { palette } from './shown.ts';

/** Vectors whose growth is counted: more tell the same, and 2,048 take seconds. */
export const GROWTH_VECTORS: readonly number[] = [8, 64, 256];

/** The largest IMS table, with 4,096 mdevs, and a small one, with 16. */
const IMS_LARGE = 65_536;
const IMS_SMALL = 256;
const SCENARIOS = 1000;
/** Of a turn of the engine, some tenths of a second: each begins with what the other side has left of the caches. */
const ENGINE_SCENARIOS = 4000;
/** Of a campaign long enough to be worth sharing. */
const CAMPAIGN_SCENARIOS = 48_000;
/** Of a campaign long enough to see whether it needs more and more. */
const MEMORY_SECONDS = 60;
/** Of each planted fault that are shrunk. */
const FAILURES = 20;

/** Every benchmark: each row is a ratio of two things done in the same run. */
export async function measure(args: readonly string[]): Promise<number> {
  const { values } = parse(args, { json: { type: 'string' }, compare: { type: 'string' } });
  const before = optional(values.compare, (file) => readBench(readText(file), file));
  await requirePeers();
  if (values.json !== undefined) makeRoom(values.json);
  const rows: BenchRow[] = [];
  const parts = [engine, cores, memory, allocation, ims, explorationRows, shrinking, detection, harnesses, kernels];
  for (const part of parts) {
    const measured = await part();
    rows.push(...measured);
    if (measured.length > 0) process.stdout.write(`${benchText(measured, palette(), before)}\n`);
  }
  process.stdout.write(`${growthText(growthCosts(GROWTH_VECTORS), palette())}\n`);
  if (values.json !== undefined) writeWhole(values.json, benchJson(rows));
  return EXIT.held;
}

/** What is measured on a host alone. */
const PROFILE = 'linux-6.12';

function engine(): Promise<readonly BenchRow[]> {
  return engineRows(PROFILE, ENGINE_SCENARIOS);
}

function cores(): Promise<readonly BenchRow[]> {
  return coresRows(PROFILE, CAMPAIGN_SCENARIOS);
}

function memory(): Promise<readonly BenchRow[]> {
  return memoryRows(PROFILE, MEMORY_SECONDS);
}

async function subject() {
  const optimised = await factoryOf('optimised', undefined).start();
  return { optimised, profile: PROFILE, platform: platformOf(PROFILE) };
}

function shrinking(): Promise<readonly BenchRow[]> {
  return shrinkingRows(FAILURES);
}

function detection(): Promise<readonly BenchRow[]> {
  return detectionRows({ seeds: 3, operationsMax: 20_000 });
}

async function harnesses(): Promise<readonly BenchRow[]> {
  return harnessRows({ ...(await subject()), scenarios: SCENARIOS });
}

/** Those that are ready. */
async function kernels(): Promise<readonly BenchRow[]> {
  const { optimised } = await subject();
  const works = (['linux-6.1', 'linux-6.12'] as const).map((profile) => ({
    ...{ factory: factoryOf(profile, undefined), profile, platform: platformOf(profile), scenarios: SCENARIOS },
  }));
  return systemRows(optimised, works);
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
