import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { optimisedSystem } from '../impl/optimised/system.ts';
import { expectationsOf } from '../properties/expected.ts';
import { INVARIANTS } from '../properties/invariants/index.ts';
import { lockstep, verdictOf } from '../properties/runner/lockstep.ts';
import { readRecorded } from '../properties/runner/record.ts';

const FOLDER = join(import.meta.dirname, 'findings');
const KEPT = readdirSync(FOLDER).filter((name) => /^\d{4}-/.test(name));

describe.each(KEPT)('the finding %s', (name) => {
  const file = join(FOLDER, name, 'record.jsonl');

  it('is told in a README and listed', () => {
    expect(existsSync(join(FOLDER, name, 'README.md'))).toBe(true);
    expect(readFileSync(join(FOLDER, 'README.md'), 'utf8')).toContain(`(${name}/README.md)`);
  });

  it('is expected of the system that it was found on, and of no other', async () => {
    const recorded = readRecorded(readFileSync(file, 'utf8'), file);
    if (recorded.kind !== 'finding') throw new Error('expected a finding');
    const { finding } = recorded;
    const [violation] = finding.judgement.violations;
    const known = expectationsOf(finding.profile, finding.system).filter(({ system }) => system === finding.system);
    expect(known.map(({ clause }) => clause)).toContain(violation?.expectedBy);
    const again = await lockstep(optimisedSystem(), finding.scenario, {
      profile: finding.profile,
      invariants: INVARIANTS,
    });
    expect(verdictOf(again)).toBe('held');
  });
});
