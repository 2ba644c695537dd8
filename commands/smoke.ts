import { SMOKE_CHECKS, smoke as smokeHarness } from '../impl/stdio/smoke.ts';
import { commandOf, isStdioName, stdioFactory, TIMEOUT_MS } from '../impl/stdio/system.ts';
import { nearestHost, profileOf } from '../model/profiles.ts';
import { probe } from '../properties/runner/probe.ts';
import { OWN_COMMAND } from '../reports/own-command.ts';
import { printable } from '../reports/printable.ts';
import { shellWord } from '../reports/shell-word.ts';
import { EXIT, parse, requireReady, UsageError } from './arguments.ts';
import { palette, unlikeProfiles } from './shown.ts';

/** What a harness must do before its answers count, and what to do next where it does not. */
export async function smoke(args: readonly string[]): Promise<number> {
  const { positionals } = parse(args, {}, true);
  const [name = ''] = positionals;
  if (positionals.length !== 1 || !isStdioName(name))
    throw new UsageError(`smoke: expected one stdio:COMMAND, got ${positionals.join(' ') || 'nothing'}`);
  requireReady(stdioFactory(name));
  const checks = await smokeHarness(commandOf(name), TIMEOUT_MS);
  const { good, bad } = palette();
  const width = Math.max(...checks.map((check) => check.name.length));
  for (const check of checks) {
    const symbol = check.next === undefined ? good('✓') : bad('✗');
    const [first = '', ...more] = printable(check.saw).split('\n');
    process.stdout.write(`${symbol} ${check.name.padEnd(width)}  ${first}\n`);
    for (const line of more) process.stdout.write(`  ${' '.repeat(width)}  ${line}\n`);
  }
  const passed = checks.filter(({ next }) => next === undefined).length;
  const failed = checks.find(({ next }) => next !== undefined);
  const next = failed === undefined ? await campaignOn(name) : `${failed.name}: ${printable(failed.next ?? '')}`;
  process.stdout.write(`\n${passed} of ${SMOKE_CHECKS} passed. Next: ${next}\n`);
  return failed === undefined ? EXIT.held : EXIT.broken;
}

/** The campaign that comes next: a host of its own that is like no profile has to be held against one that is named. */
async function campaignOn(name: string): Promise<string> {
  const command = `${OWN_COMMAND} run --system ${shellWord(name)}`;
  const system = await stdioFactory(name).start();
  try {
    const own = system.support.host === 'own' ? await probe(system) : undefined;
    if (own === undefined || profileOf(own) !== undefined) return command;
    return `${command} --profile ${nearestHost(own.host)}\nIt ${unlikeProfiles(own.host)}.`;
  } finally {
    await system.close();
  }
}
