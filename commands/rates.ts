import { measureRates, PATTERNS } from '../impl/linux/rates.ts';
import { rateLine } from '../reports/rates-text.ts';
import { EXIT, factoryOf, optional, parse, requireReady, UsageError, wholeNumber } from './arguments.ts';

/** For one way to change interrupts. */
const SECONDS_RATE = 10;

/** How often a real kernel loses an event. */
export async function rates(args: readonly string[]): Promise<number> {
  const { values } = parse(args, {
    system: { type: 'string', multiple: true },
    time: { type: 'string' },
    modules: { type: 'string' },
  });
  const names = values.system ?? ['linux-6.1', 'linux-6.12'];
  for (const name of names) {
    if (!name.startsWith('linux')) throw new UsageError(`--system: expected a linux kernel, got ${name}`);
    requireReady(factoryOf(name, values.modules));
  }
  const seconds = optional(values.time, (text) => wholeNumber('--time', text, 1, 1e6)) ?? SECONDS_RATE;
  const options = values.modules === undefined ? {} : { modules: values.modules };
  for (const name of names)
    await measureRates(name, seconds, (rate) => process.stdout.write(`${rateLine(name, rate, PATTERNS)}\n`), options);
  return EXIT.held;
}
