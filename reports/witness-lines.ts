import type { CampaignResult, RunResult, WitnessCount } from '../properties/runner/verdict.ts';
import { counted, grouped, wrap } from './layout.ts';
import type { Palette } from './palette.ts';

const WIDTH = 112;

/** Something that was seen too rarely, on one profile. */
interface Rare {
  readonly witness: WitnessCount;
  readonly result: CampaignResult;
}

/** What was seen too rarely, a line for each witness, and for how much of it there were too few scenarios to tell. */
export function witnessLines({ results }: RunResult, palette: Palette): readonly string[] {
  const all = results.flatMap((result) => result.witnesses.map((witness): Rare => ({ witness, result })));
  if (all.length === 0) return [];
  const rare = all.filter(({ witness }) => witness.verdict === 'rare');
  const few = all.filter(({ witness }) => witness.verdict === 'few').length;
  const seen = `${grouped(all.length - rare.length - few)} of ${grouped(all.length)} seen often enough`;
  const unknown = few === 0 ? '' : `; too few scenarios to tell of ${grouped(few)}`;
  const names = [...new Set(rare.map(({ witness }) => witness.name))];
  return [
    `${palette.strong('Witnesses')}  ${seen}${unknown}`,
    ...names.flatMap((name) =>
      wrap(rareWords(rare.filter(({ witness }) => witness.name === name)), WIDTH).map(
        (line, place) => `  ${place === 0 ? palette.bad('✗') : ' '} ${line}`,
      ),
    ),
  ];
}

/** @param on one for each profile; not empty */
function rareWords(on: readonly Rare[]): string {
  const [first] = on;
  if (first === undefined) throw new Error('what is rare is rare somewhere');
  const { witness, result } = first;
  const seen = `in ${grouped(witness.seen)} of ${counted(result.scenarios, 'scenario')}`;
  const others = on.length === 1 ? '' : `, and on ${counted(on.length - 1, 'more profile')}`;
  return `${witness.name}: on ${result.profile} ${seen}, expected one in ${witness.oneIn}${others}`;
}
