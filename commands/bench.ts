import { IMS_WORK_OPERATIONS, imsWork } from '../impl/optimised/ims-costs.ts';
import { platformOf } from '../model/profiles.ts';
import { type BenchPair, type BenchRow, bench, measureRows } from '../properties/runner/bench.ts';
import { growthCosts } from '../properties/runner/growth-cost.ts';
import { growthText } from '../reports/growth-text.ts';
import { EXIT, factoryOf, parse } from './arguments.ts';
import { palette } from './shown.ts';

/** Vectors whose growth is counted: more tell the same, and 2,048 take seconds. */
export const GROWTH_VECTORS: readonly number[] = [8, 64, 256];

/** The largest IMS table, with 4,096 mdevs, and a small one, with 16. */
const IMS_LARGE = 65_536;
const IMS_SMALL = 256;

/** The parts of a campaign against each other, and what a large IMS table costs. */
export async function measure(args: readonly string[]): Promise<number> {
  parse(args, {});
  const profile = 'linux-6.12';
  const optimised = await factoryOf('optimised', undefined).start();
  process.stdout.write(rowsText(await bench(optimised, profile, platformOf(profile))));
  process.stdout.write(`\n${await imsText()}`);
  process.stdout.write(`\n${growthText(growthCosts(GROWTH_VECTORS), palette())}\n`);
  return EXIT.held;
}

async function imsText(): Promise<string> {
  const large = imsWork(IMS_LARGE);
  const small = imsWork(IMS_SMALL);
  const against = `the same with ${IMS_SMALL}`;
  const pairs: readonly BenchPair[] = [
    ['free an entry, allocate one', large.allocateAndFree, against, small.allocateAndFree],
    ['check a descriptor', large.check, against, small.check],
    ['translate a guest PASID', large.translate, against, small.translate],
    ['free a PASID, allocate one', large.allocateAndFreePasid, against, small.allocateAndFreePasid],
    ['a guest frees a PASID, binds it', large.freeAndBind, against, small.freeAndBind],
  ];
  const rows = rowsText(await measureRows(IMS_WORK_OPERATIONS, pairs));
  const mebibytes = (large.bytes / 2 ** 20).toFixed(2);
  const title = `IMS, ${IMS_LARGE.toLocaleString('en')} entries and 4,096 mdevs in ${mebibytes} MiB`;
  return `${title}\n${rows}`;
}

function rowsText(rows: readonly BenchRow[]): string {
  return rows
    .map(({ what, against, operationsPerSecond, ratio }) => {
      const speed = Math.round(operationsPerSecond).toLocaleString('en').padStart(11);
      return `${speed} operations per second  ${what.padEnd(32)} ${ratio.toFixed(2)} times the time of ${against}\n`;
    })
    .join('');
}
