import type { Scenario, Support } from '#vocabulary';
import { type Stage, withOperations } from './stage.ts';
import { movedTo, variantsOf } from './variants.ts';

/**
 * One operation less and another one in place of a third: a host that has one vector less needs one less to be used
 * up, and an event of another vector may need no more than that. What the host is given is changed first, as most often
 * it is a number that has to fall in step.
 */
export const exchange: Stage = async (scenario, trials, support) => {
  let shortest = scenario;
  for (;;) {
    const found = await trials.firstThatFails(exchanged(shortest, support));
    if (found === null) return shortest;
    shortest = found;
  }
};

function* exchanged(scenario: Scenario, support: Support): Generator<Scenario> {
  const { config, operations } = scenario;
  const isAboutHost = (place: number): boolean => operations[place]?.kind.startsWith('host.') === true;
  const places = [...operations.keys()];
  for (const place of [...places.filter(isAboutHost), ...places.filter((other) => !isAboutHost(other))]) {
    const operation = operations[place];
    if (operation === undefined) continue;
    for (const variant of [...variantsOf(operation, config, support), ...movedTo(operation, scenario)]) {
      const varied = operations.with(place, variant);
      for (const dropped of places) if (dropped !== place) yield withOperations(scenario, varied.toSpliced(dropped, 1));
    }
  }
}
