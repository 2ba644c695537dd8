import { systemFactory } from '../impl/index.ts';
import { profileOf } from '../model/profiles.ts';
import { INVARIANTS } from '../properties/invariants/index.ts';
import { lockstep, verdictOf } from '../properties/runner/lockstep.ts';
import { type Recorded, readRecorded } from '../properties/runner/record.ts';
import type { Finding } from '../properties/runner/verdict.ts';
import { OWN_COMMAND } from '../reports/own-command.ts';
import { reproducerC } from '../reports/reproducer.ts';
import { Untellable } from '../reports/reproducer-checks.ts';
import { shellWord } from '../reports/shell-word.ts';
import { shownPath } from '../reports/write.ts';
import { EXIT, oneOf, parse, readText, UsageError } from './arguments.ts';
import { glossary } from './shown.ts';

/** A finding or a scenario as a program for somebody who has nothing of this suite. */
export async function reproducer(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args, { language: { type: 'string' } }, true);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    throw new UsageError(`reproducer: expected one file, got ${positionals.length}`);
  oneOf('--language', values.language ?? 'c', ['c']);
  const finding = await findingOf(readRecorded(readText(file), file));
  const replayCommand = `${OWN_COMMAND} replay ${shellWord(shownPath(file))}`;
  try {
    process.stdout.write(reproducerC(finding, { ...glossary(), replayCommand }));
  } catch (error) {
    if (!(error instanceof Untellable)) throw error;
    throw new UsageError(`${file}: no C program can show this: ${error.message}`);
  }
  return EXIT.held;
}

/** A scenario is what the reference makes of it. */
async function findingOf(recorded: Recorded): Promise<Finding> {
  if (recorded.kind === 'finding') return recorded.finding;
  const { scenario } = recorded;
  const reference = await systemFactory('reference')?.start();
  if (reference === undefined) throw new Error('the reference is always there');
  const profile = profileOf(scenario.config) ?? 'unnamed';
  const judgement = await lockstep(reference, scenario, { profile, invariants: INVARIANTS });
  const found = verdictOf(judgement);
  const verdict = found === 'held' ? 'expected' : found;
  const about = { id: '00000000', verdict, system: 'reference', profile, subjectProfile: profile, seed: 0 } as const;
  return { ...about, scenario, judgement };
}
