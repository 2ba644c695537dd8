import {
  type Config,
  HarnessError,
  type HostTraits,
  type PciFunction,
  type Platform,
  parseOperation,
  type Scenario,
  type Step,
  type System,
  VFIO_IRQ_INFO_NORESIZE,
  type VmmTraits,
} from '#vocabulary';
import { HOST_NAMES, hostTraits } from '../../model/profiles.ts';

/** Asks a system that has a host of its own how that behaves. Versions are not asked for. */
export async function probe(system: System): Promise<Platform> {
  const { vmm } = system.support;
  if (typeof vmm === 'object') return { host: await hostBelow(system, vmm), vmm };
  return { host: await probeHost(system) };
}

/**
 * The host below a VMM, where only NORESIZE shows: of what else hosts differ in no guest learns, so the first that is
 * like it stands for all.
 */
async function hostBelow(system: System, vmm: VmmTraits): Promise<HostTraits> {
  const config: Config = { host: hostTraits('linux-6.12'), vmm, devices: [smallestTable(system)] };
  const { initial } = await system.run({ config, operations: [] });
  const [device] = initial;
  if (device === undefined) throw unanswered(system, 'NORESIZE');
  const dynamicMsix = (device.msixInfoFlags & VFIO_IRQ_INFO_NORESIZE) === 0;
  const host = HOST_NAMES.map(hostTraits).find((traits) => traits.dynamicMsix === dynamicMsix);
  if (host === undefined) throw new HarnessError(`${system.name} has a host like none that is known`);
  return host;
}

async function probeHost(system: System): Promise<HostTraits> {
  const [info] = await answers(system, ['vfio.getIrqInfo MSIX']);
  if (info?.outcome.kind !== 'irqInfo') throw unanswered(system, 'vfio.getIrqInfo MSIX');
  const [, loopback] = await answers(system, [
    'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]',
    'vfio.setIrqs MSIX NONE|TRIGGER 0+2 []',
  ]);
  const [below] = await answers(system, ['vfio.setIrqs REQ EVENTFD|TRIGGER 0+1 [-2]']);
  return {
    dynamicMsix: (info.outcome.flags & VFIO_IRQ_INFO_NORESIZE) === 0,
    rangeCheck: succeeded(system, loopback, 'a loopback') ? 'vector-by-vector' : 'whole-range-first',
    belowMinusOne: succeeded(system, below, 'an eventfd below -1') ? 'ignored' : 'refused',
  };
}

async function answers(system: System, lines: readonly string[]): Promise<readonly Step[]> {
  const scenario: Scenario = {
    // The system has its own host; what stands here is not looked at.
    config: {
      host: hostTraits('linux-6.12'),
      devices: [smallestTable(system)],
    },
    operations: lines.map(parseOperation),
  };
  return (await system.run(scenario)).steps;
}

/** The smallest function with an MSI-X table of two entries or more. */
function smallestTable({ name, support: { functions } }: System): PciFunction {
  if (functions === 'any') return { msixVectors: 4, whileOff: 'latches' };
  const [smallest] = functions
    .filter(({ msixVectors }) => msixVectors > 1)
    .sort((left, right) => left.msixVectors - right.msixVectors);
  if (smallest === undefined)
    throw new HarnessError(`${name} has no function with 2 MSI-X vectors, on which it is asked how it behaves`);
  return smallest;
}

function succeeded(system: System, step: Step | undefined, what: string): boolean {
  if (step?.outcome.kind === 'ok') return true;
  if (step?.outcome.kind === 'errno') return false;
  throw unanswered(system, what);
}

function unanswered(system: System, what: string): HarnessError {
  return new HarnessError(`${system.name} did not answer when it was asked how it behaves (${what})`);
}
