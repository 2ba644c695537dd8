import type { Random } from 'fast-check';
import { Arbitrary, Stream, Value } from 'fast-check';
import type { Platform, RawOperation, Scenario, Support } from '#vocabulary';
import { drawConfig } from './config.ts';
import { drawConfigRead, drawConfigWrite, drawPbaRead, drawTableRead, drawTableWrite } from './config-space.ts';
import { drawArm, drawAssertIntx, drawDeassertIntx, drawRaise } from './device.ts';
import { drawFollowUp } from './follow-up.ts';
import { drawGuestScenario } from './guest-scenario.ts';
import { drawFailAllocation, drawLimitVectors } from './host.ts';
import { drawMdevScenario } from './mdev-scenario.ts';
import type { DeviceMemory, Memory } from './memory.ts';
import { aboutDevice, deviceMemory, emptyMemory, remember, undoOf } from './memory.ts';
import { hasMdevs } from './pci-function.ts';
import { chance, pick } from './random.ts';
import type { Cursor } from './shrink.ts';
import { shrinkScenario } from './shrink.ts';
import type { DeviceSwarm, Swarm } from './swarm.ts';
import { deviceSwarm, drawSwarm, isOn } from './swarm.ts';
import { drawHot } from './vector.ts';
import { drawClose, drawCloseEventfd, drawGetIrqInfo, drawOpen, drawSetIrqs, drawWriteEventfd } from './vfio.ts';

/** Operations in a scenario as drawn; shrunk ones may have fewer. */
export const OPERATIONS_MIN = 5;
export const OPERATIONS_MAX = 60;
/** The same on a real machine, where opening and closing the device takes as long as some fifteen operations. */
export const OPERATIONS_MAX_REAL = 100;
/** One scenario in 16 may be this long: some faults need a past. */
export const OPERATIONS_MAX_LONG = 200;

/**
 * Whole scenarios of nothing but what `support` allows, on a machine whose host behaves as the platform says;
 * with its mdevs and its VMM, where there are such and the system can have them.
 * @param lengthMax operations at most; left open, mostly OPERATIONS_MAX and sometimes OPERATIONS_MAX_LONG
 */
export function scenarios(support: Support, platform: Platform, lengthMax?: number): Arbitrary<Scenario> {
  return new ScenarioArbitrary(support, platform, lengthMax);
}

/** fast-check's way to an arbitrary that is made and shrunk as one piece. */
class ScenarioArbitrary extends Arbitrary<Scenario> {
  readonly #support: Support;
  readonly #platform: Platform;
  readonly #lengthMax: number | undefined;

  constructor(support: Support, platform: Platform, lengthMax: number | undefined) {
    super();
    this.#support = support;
    this.#platform = platform;
    this.#lengthMax = lengthMax;
  }

  /** The bias that fast-check asks for is not needed: each scenario's swarm is one. */
  override generate(random: Random): Value<Scenario> {
    return new Value(drawScenario(random, this.#support, this.#platform, this.#lengthMax), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is Scenario {
    return typeof value === 'object' && value !== null && 'config' in value && 'operations' in value;
  }

  /** @param context where in the order of candidates the last one was accepted; undefined for the beginning. */
  override shrink(value: Scenario, context: unknown): Stream<Value<Scenario>> {
    const candidates = shrinkScenario(value, this.#support, context as Cursor | undefined);
    return new Stream(candidates).map(({ scenario, cursor }) => new Value(scenario, cursor));
  }
}

function drawScenario(random: Random, support: Support, platform: Platform, lengthMax: number | undefined): Scenario {
  const { host, mdev } = platform;
  const vmm = support.vmm === 'none' ? undefined : platform.vmm;
  if (mdev !== undefined && hasMdevs(support)) {
    return drawMdevScenario(random, support, vmm === undefined ? { host, mdev } : { host, mdev, vmm }, lengthMax);
  }
  if (vmm !== undefined) return drawGuestScenario(random, support, { host, vmm }, lengthMax);
  const config = drawConfig(random, support, host);
  const swarm = drawSwarm(random, support, config.devices);
  const memory = emptyMemory(config, (size) => drawHot(random, size));
  const length = drawLength(random, support, lengthMax);
  const operations: RawOperation[] = [];
  while (operations.length < length) {
    const operation = drawOperation(random, swarm, memory);
    remember(memory, operation);
    operations.push(operation);
  }
  return { config, operations };
}

function drawLength(random: Random, { host }: Support, lengthMax: number | undefined): number {
  if (lengthMax !== undefined) return random.nextInt(Math.min(OPERATIONS_MIN, lengthMax), lengthMax);
  const most = host === 'own' ? OPERATIONS_MAX_REAL : OPERATIONS_MAX;
  return random.nextInt(OPERATIONS_MIN, random.nextInt(1, 16) === 1 ? OPERATIONS_MAX_LONG : most);
}

function drawOperation(random: Random, swarm: Swarm, memory: Memory): RawOperation {
  if (chance(random, deviceSwarm(swarm, aboutDevice(memory, memory.last)).followUpPercent)) {
    const followUp = drawFollowUp(random, swarm, memory);
    if (followUp !== undefined) return followUp;
  }
  const device = memory.devices.length === 1 ? 0 : random.nextInt(0, memory.devices.length - 1);
  return (
    drawRepair(random, swarm, memory, device) ??
    drawKind(
      random,
      swarm,
      memory,
      device,
      drawKindOf(random, deviceSwarm(swarm, device), deviceMemory(memory, device)),
    )
  );
}

/** A device that is closed refuses everything, and one that is asleep or off has no events: that is soon seen. */
function drawRepair(random: Random, swarm: Swarm, memory: Memory, device: number): RawOperation | undefined {
  const { descriptors, mappings } = deviceMemory(memory, device);
  const undo = undoOf(memory, device);
  const own = deviceSwarm(swarm, device);
  if (descriptors === 0) {
    if (isOn(own, 'vfio.open') && chance(random, 40)) return drawOpen(device);
    if (mappings > 0 && isOn(own, 'vfio.unmapBar') && chance(random, 30)) return { kind: 'vfio.unmapBar', device };
  }
  if (undo !== undefined && isOn(own, undo.kind) && chance(random, undo.field === 'power' ? 25 : 15)) return undo;
  return undefined;
}

/** Mostly not the end of what has not begun. */
function drawKindOf(random: Random, own: DeviceSwarm, { asserted, mappings }: DeviceMemory): RawOperation['kind'] {
  const kind = pick(random, own.kinds);
  if (chance(random, 30)) return kind;
  if (kind === 'vfio.unmapBar' && mappings === 0 && isOn(own, 'vfio.mapBar')) return 'vfio.mapBar';
  return kind === 'device.deassertIntx' && !asserted && isOn(own, 'device.assertIntx') ? 'device.assertIntx' : kind;
}

function drawKind(
  random: Random,
  swarm: Swarm,
  memory: Memory,
  device: number,
  kind: RawOperation['kind'],
): RawOperation {
  switch (kind) {
    case 'vfio.open':
      return drawOpen(device);
    case 'vfio.close':
      return drawClose(device);
    case 'vfio.reset':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.wipe':
      return { kind, device };
    case 'vfio.getIrqInfo':
      return drawGetIrqInfo(random, swarm, memory, device);
    case 'vfio.setIrqs':
      return drawSetIrqs(random, swarm, memory, device);
    case 'vfio.configWrite':
      return drawConfigWrite(random, memory, device);
    case 'vfio.configRead':
      return drawConfigRead(random, memory, device);
    case 'vfio.tableRead':
      return drawTableRead(random, memory, device);
    case 'vfio.tableWrite':
      return drawTableWrite(random, memory, device);
    case 'vfio.pbaRead':
      return drawPbaRead(random, memory, device);
    case 'vfio.writeEventfd':
      return drawWriteEventfd(random, swarm, memory);
    case 'vfio.closeEventfd':
      return drawCloseEventfd(random, swarm, memory);
    case 'device.raise':
      return drawRaise(random, memory, device);
    case 'device.arm':
      return drawArm(random, memory, device);
    case 'device.assertIntx':
      return drawAssertIntx(device);
    case 'device.deassertIntx':
      return drawDeassertIntx(device);
    case 'host.limitVectors':
      return drawLimitVectors(random);
    case 'host.failAllocation':
      return drawFailAllocation(random);
  }
}
