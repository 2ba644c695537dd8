import { type HostTraits, parseOperation, type Scenario } from '#vocabulary';
import type { Expectation } from '../expected.ts';

/** The story of an expectation as a scenario on a host. */
export function expectationScenario({ story }: Expectation, host: HostTraits): Scenario {
  const { device, operations } = story;
  return { config: { host, devices: [device] }, operations: operations.map(parseOperation) };
}
