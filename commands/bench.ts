import { platformOf } from '../model/profiles.ts';
import { bench } from '../properties/runner/bench.ts';
import { growthCosts } from '../properties/runner/growth-cost.ts';
import { growthText } from '../reports/growth-text.ts';
import { EXIT, factoryOf, parse } from './arguments.ts';
import { palette } from './shown.ts';

/** Vectors whose growth is counted: more tell the same, and 2,048 take seconds. */
export const GROWTH_VECTORS: readonly number[] = [8, 64, 256];

/** The parts of a campaign against each other. */
export async function measure(args: readonly string[]): Promise<number> {
  parse(args, {});
  const profile = 'linux-6.12';
  const optimised = await factoryOf('optimised', undefined).start();
  for (const { what, against, operationsPerSecond, ratio } of await bench(optimised, profile, platformOf(profile))) {
    const speed = Math.round(operationsPerSecond).toLocaleString('en').padStart(10);
    process.stdout.write(
      `${speed} operations per second  ${what.padEnd(30)} ${ratio.toFixed(2)} times the time of ${against}\n`,
    );
  }
  process.stdout.write(`\n${growthText(growthCosts(GROWTH_VECTORS), palette())}\n`);
  return EXIT.held;
}
