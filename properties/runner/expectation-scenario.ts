import { type Platform, parseOperation, type Scenario } from '#vocabulary';
import type { Expectation } from '../expected.ts';

/** The story of an expectation as a scenario on a platform. */
export function expectationScenario({ story }: Expectation, platform: Platform): Scenario {
  const { device, operations } = story;
  return { config: { ...platform, devices: [device] }, operations: operations.map(parseOperation) };
}
