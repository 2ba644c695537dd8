#!/usr/bin/env node
import { HarnessError } from '#vocabulary';
import { EXIT, UnavailableError, UsageError } from './commands/arguments.ts';
import { measure } from './commands/bench.ts';
import { clauses } from './commands/clauses.ts';
import { exploreCommand } from './commands/explore.ts';
import { mutants } from './commands/mutants.ts';
import { rates } from './commands/rates.ts';
import { replay } from './commands/replay.ts';
import { report } from './commands/report.ts';
import { reproducer } from './commands/reproducer.ts';
import { run } from './commands/run.ts';
import { smoke } from './commands/smoke.ts';
import { systems } from './commands/systems.ts';
import { SYSTEM_NAMES } from './impl/index.ts';
import { CommandError } from './impl/stdio/words.ts';
import { PROFILES_IN_WORDS } from './model/profiles.ts';
import { INVARIANTS } from './properties/invariants/index.ts';
import { RecordError } from './properties/runner/record.ts';
import { printable } from './reports/printable.ts';
import { SummaryError } from './reports/read-json.ts';

const USAGE = `vfio-irq: conformance of VFIO interrupts

  run [--system NAME]... [--profile NAME]... [--invariant ID]... [--runs N] [--length N] [--seed N] [--time SECONDS]
      [--shard I/N] [--json FILE] [--junit FILE] [--ctrf FILE] [--out DIR] [--modules DIR]
                      a campaign; this is what happens without a command
  replay FILE [--system NAME] [--itf FILE] [--modules DIR]
                      a scenario or a finding again, on the same or another system; --itf writes it as a trace in the
                      Informal Trace Format, for the explorers of TLA+ and Quint
  reproducer FILE [--language c]
                      a stand-alone C program of a scenario or a finding whose operations are calls of vfio
  explore [--config FILE] [--vectors N] [--depth N] [--invariant ID]... [--profile NAME]... [--out DIR]
                      every reachable state of small configurations: what holds in all of them, or the shortest
                      sequence that breaks it; FILE is a scenario, whose operations are tried where it has any
  mutants [--id ID]... [--seeds N] [--json FILE]
                      the detection benchmark: each historic fault searched for, with N seeds (30)
  smoke stdio:COMMAND what a harness of yours must pass before its answers count, and what to do next
  systems             every system: ready or not, and the command that makes it ready
  clauses [--out DIR] the rules of the model with their sources, and which the last run there reached
  report [FILE]... [--out DIR]
                      the page again, from summaries of runs (DIR/summary.json) with their findings beside them, and
                      what mutants --json and bench --json wrote; shards of one run are added up
  rates [--system NAME]... [--time SECONDS] [--modules DIR]
                      how often a real kernel loses an event while its interrupts are changed, on one processor and on
                      two, SECONDS for each way to change them: counts, never a verdict
  bench [--json FILE] [--compare FILE]
                      every part against what people would use instead, and what growth costs under each VMM; --compare
                      tells beside it what another --json wrote

  systems     ${SYSTEM_NAMES.join(', ')}, linux:PATH (a kernel .deb, or an image with --modules
              DIR), qemu:PATH (a program), qemu:PATH/irqfd, stdio:COMMAND (a program of yours), mutant:ID
  profiles    ${PROFILES_IN_WORDS}
  invariants  ${INVARIANTS.map(({ id }) => id).join(', ')}
`;

/** What does each command; the first is done without one. */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => number | Promise<number>>> = {
  run,
  replay,
  reproducer,
  explore: exploreCommand,
  mutants,
  smoke,
  systems,
  clauses,
  report,
  rates,
  bench: measure,
};

async function main(args: readonly string[]): Promise<number> {
  const [word = 'run', ...rest] = args;
  if (word === '-h' || word === 'help' || args.includes('--help')) {
    process.stdout.write(USAGE);
    return EXIT.held;
  }
  if (word.startsWith('--')) return run(args);
  const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (command !== undefined) return command(rest);
  throw new UsageError(
    `command: expected one of ${Object.keys(COMMANDS).join(', ')}; got ${word} (--help says what they do)`,
  );
}

// Who reads the beginning of a text and goes is not told the rest.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // A stack says something only of what nobody foresaw.
  const foreseen = process.exitCode !== EXIT.harness || error instanceof HarnessError;
  const words = error instanceof Error ? (foreseen ? error.message : error.stack) : error;
  process.stderr.write(`vfio-irq: ${printable(String(words))}\n`);
}

function exitCodeOf(error: unknown): number {
  const isBadInput = [UsageError, RecordError, SummaryError, CommandError].some((kind) => error instanceof kind);
  if (isBadInput) return EXIT.usage;
  return error instanceof UnavailableError ? EXIT.unavailable : EXIT.harness;
}
