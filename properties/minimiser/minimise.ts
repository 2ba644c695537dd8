import type { Scenario, Support } from '#vocabulary';
import { isSimpler, measure } from '../generators/measure.ts';
import { alphabetOf, withLargerTables } from './alphabet.ts';
import { simplifyJointly, simplifySingly } from './arguments.ts';
import { cut } from './cut.ts';
import { deltaDebug } from './delta-debugging.ts';
import { exchange } from './exchange.ts';
import { dropIdle } from './idle.ts';
import { HERE, isExact, NOT_AGAIN, type Proof, proofOf, type Scope } from './proof.ts';
import { type Space, search, stepsOf } from './search.ts';
import type { Stage } from './stage.ts';
import { keepSubset } from './subsets.ts';
import { type Cost, type Spent, type Suspect, Trials } from './trials.ts';

/** The shortest scenario that was found, and what is known of its length. */
export interface Minimised {
  readonly scenario: Scenario;
  readonly proof: Proof;
  readonly spent: Spent;
}

/** What makes it shorter before anything is proved: the first ones drop most for least. */
const SHORTENING: readonly { readonly stage: Stage; readonly share: number }[] = [
  { stage: cut, share: 1 },
  { stage: dropIdle, share: 1 },
  { stage: deltaDebug, share: 0.5 },
  { stage: keepSubset, share: 0.4 },
  { stage: exchange, share: 0.4 },
];

/** What is right for a system in this process: about a second. */
export const IN_PROCESS: Cost = { kind: 'steps', most: 40_000 };
/** What is right for a real one: 200 runs, with those that fast-check has had and two to make sure. */
export const ON_A_MACHINE: Cost = { kind: 'runs', most: 98 };

/** What is kept of the cost for arguments when the search begins. */
const SEARCH_SHARE = 0.85;

/**
 * The shortest scenario that fails as a given one does, which fast-check may have shrunk before.
 * @param scenario fails; if it does not, it is returned as it is
 */
export async function minimise(scenario: Scenario, suspect: Suspect, support: Support, cost: Cost): Promise<Minimised> {
  const trials = new Trials(suspect, cost);
  if (!(await trials.fails(scenario))) return { scenario, proof: NOT_AGAIN, spent: trials.spent };
  let shortest = scenario;
  for (const { stage, share } of SHORTENING) shortest = await stage(shortest, trials.part(share), support);
  // What is as long as before was shrunk by fast-check: nothing that is simpler by one thing fails.
  const isShrunk = shortest.operations.length === scenario.operations.length;
  shortest = await simplify(isShrunk ? scenario : shortest, isShrunk, trials, support);
  for (;;) {
    const { shorter, scopes } = await prove(shortest, trials.part(SEARCH_SHARE), support);
    if (shorter === null)
      return { scenario: shortest, proof: proofOf(shortest, scopes, trials.spent), spent: trials.spent };
    shortest = await simplify(shorter, false, trials, support);
  }
}

/** @param isShrunk whether all that is simpler by one thing was tried */
async function simplify(scenario: Scenario, isShrunk: boolean, trials: Trials, support: Support): Promise<Scenario> {
  const singly = isShrunk ? scenario : await simplifySingly(scenario, trials.part(0.5), support);
  const jointly = await simplifyJointly(singly, trials.part(0.3), support);
  return isSimpler(measure(jointly), measure(singly)) ? simplifySingly(jointly, trials.part(0.5), support) : singly;
}

/**
 * Looks for anything shorter: on the same machine, on one with larger tables, and again where much was taken for one.
 * Returns the first that it finds, or how far it has looked.
 */
async function prove(
  shortest: Scenario,
  trials: Trials,
  support: Support,
): Promise<{ readonly shorter: Scenario | null; readonly scopes: readonly Scope[] }> {
  const { config, operations } = shortest;
  const larger = withLargerTables(shortest, support);
  const passes: readonly (Pick<Space, 'config' | 'merging'> & Pick<Scope, 'where'>)[] = [
    { config, merging: 'state', where: HERE },
    ...(larger === null ? [] : [{ config: larger, merging: 'state', where: 'with one vector more' } as const]),
    { config, merging: 'step', where: HERE },
  ];
  const scopes: Scope[] = [];
  for (const { where, ...pass } of passes) {
    if (scopes.some((scope) => scope.where === where && isExact(scope, shortest))) continue;
    const alphabet = alphabetOf({ config: pass.config, operations }, support);
    const lengthMax = operations.length - 1;
    // The machine with larger tables wants its share.
    const most = where === HERE && larger !== null ? trials.left / 2 : trials.left;
    const merging = stepsOf(alphabet.length, lengthMax) <= most ? null : pass.merging;
    const space: Space = { ...pass, alphabet, lengthMax, merging };
    const searched = await search(space, trials);
    if (searched.found !== null) return { shorter: searched.found, scopes };
    scopes.push({ space, searched, where });
  }
  return { shorter: null, scopes };
}
