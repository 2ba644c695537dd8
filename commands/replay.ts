import { HarnessError, type System } from '#vocabulary';
import { isStdioName } from '../impl/stdio/system.ts';
import { platformOf, profileNamed, profileOf } from '../model/profiles.ts';
import { INVARIANTS } from '../properties/invariants/index.ts';
import { lacks } from '../properties/runner/campaign.ts';
import { lockstep, verdictOf } from '../properties/runner/lockstep.ts';
import { type Recorded, readRecorded } from '../properties/runner/record.ts';
import type { Finding, Judgement } from '../properties/runner/verdict.ts';
import { heldText } from '../reports/held-text.ts';
import { itfJson } from '../reports/itf.ts';
import { OWN_COMMAND } from '../reports/own-command.ts';
import { printable } from '../reports/printable.ts';
import { shellWord } from '../reports/shell-word.ts';
import { findingText } from '../reports/text.ts';
import { shownPath, writeWhole } from '../reports/write.ts';
import { EXIT, factoryOf, makeRoom, parse, readText, requireReady, UnavailableError, UsageError } from './arguments.ts';
import { glossary, palette } from './shown.ts';

/** A scenario or a finding again. */
export async function replay(args: readonly string[]): Promise<number> {
  const options = { system: { type: 'string' }, itf: { type: 'string' }, modules: { type: 'string' } } as const;
  const { values, positionals } = parse(args, options, true);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    throw new UsageError(`replay: expected one file, got ${positionals.length}`);
  const recorded = readRecorded(readText(file), file);
  const name = values.system ?? (recorded.kind === 'finding' ? recorded.finding.system : 'optimised');
  if (values.system === undefined && isStdioName(name))
    throw new UsageError(
      `${file}: expected --system, as it names a program to run: --system ${shellWord(name)} if you trust it`,
    );
  const factory = factoryOf(name, values.modules);
  requireReady(factory);
  if (values.itf !== undefined) makeRoom(values.itf);
  const system = await factory.start();
  try {
    return await replayOn(system, recorded, file, values.itf);
  } finally {
    await system.close();
  }
}

/** @param itf where the trace of what happens now is written, if anywhere */
async function replayOn(system: System, recorded: Recorded, file: string, itf: string | undefined): Promise<number> {
  const scenario = recorded.kind === 'finding' ? recorded.finding.scenario : recorded.scenario;
  const lacking = lacks(system, scenario);
  if (lacking !== null) throw new UnavailableError(`${system.name}: ${lacking}`);
  const profile = recorded.kind === 'finding' ? recorded.finding.profile : (profileOf(scenario.config) ?? 'unnamed');
  const subjectProfile = recorded.kind === 'finding' ? recorded.finding.subjectProfile : profile;
  const named = profileNamed(subjectProfile);
  const judgement = await lockstep(system, scenario, {
    profile,
    invariants: INVARIANTS,
    subjectPlatform: named === undefined ? scenario.config : platformOf(named),
  });
  const verdict = recorded.kind === 'finding' ? verdictBeside(recorded.finding, judgement) : verdictOf(judgement);
  const { skipped, steps, lastWords } = judgement.subject;
  if (lastWords !== undefined && steps.length === 0)
    throw new HarnessError(`${system.name} did not start on a scenario without operations: ${lastWords}`);
  if (skipped !== undefined && verdict === 'held')
    throw new UnavailableError(`${system.name}: left at operation ${steps.length}, which it does not do: ${skipped}`);
  if (itf !== undefined) writeWhole(itf, itfJson({ scenario, judgement }, `${shownPath(file)} on ${system.name}`));
  const id = recorded.kind === 'finding' ? recorded.finding.id : '00000000';
  const seed = recorded.kind === 'finding' ? recorded.finding.seed : 0;
  if (recorded.kind === 'finding')
    process.stdout.write(
      verdict === recorded.finding.verdict
        ? `The verdict is as recorded: ${verdict}.\n\n`
        : `Recorded on ${printable(recorded.finding.system)}: ${recorded.finding.verdict}; ` +
            `now on ${printable(system.name)}: ${verdict}.\n\n`,
    );
  if (verdict === 'held') process.stdout.write(`${heldText(scenario.operations, judgement.subject, system.name)}\n`);
  else {
    const finding: Finding = { id, verdict, system: system.name, profile, subjectProfile, seed, scenario, judgement };
    const replayCommand = `${OWN_COMMAND} replay ${shellWord(shownPath(file))} --system ${shellWord(system.name)}`;
    process.stdout.write(`${findingText(finding, { ...glossary(), replayCommand, palette: palette() })}\n`);
  }
  return verdict === 'held' || verdict === 'expected' ? EXIT.held : EXIT.broken;
}

/** The verdict now. A promise that is broken again is told as that, also where the system differs besides. */
function verdictBeside({ verdict, judgement: before }: Finding, now: Judgement): ReturnType<typeof verdictOf> {
  const unexpected = ({ violations }: Judgement): readonly string[] =>
    violations.filter(({ expectedBy }) => expectedBy === null).map(({ invariant }) => invariant);
  const again = unexpected(now).some((invariant) => unexpected(before).includes(invariant));
  const shown = verdictOf(now);
  return verdict === 'violation' && shown === 'divergence' && again ? 'violation' : shown;
}
