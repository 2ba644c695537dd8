import type { EventfdName, Operation, PciFunction, Scenario, Support, VfioSetIrqs } from '#vocabulary';
import { isEventfdName, VFIO_PCI_MSIX_IRQ_INDEX } from '#vocabulary';
import { withoutVectors } from './columns.ts';
import { isRanked, rank } from './guest-measure.ts';
import { withNumbersMovedDown, withSmallerNumbers } from './mdev-numbers.ts';
import { disableKind, withDisable } from './mdev-plain.ts';
import { renumberVms, simplerMdevs, simplerParents } from './mdev-simplify.ts';
import { isMisfit, isSimpler, measure } from './measure.ts';
import { isUnmaskName, nameLike, nameNumber } from './names.ts';
import { hasWhileOff, isSupportedConfig, simplerFunctions, suits } from './pci-function.ts';
import { renameEventfds, simplifyOperation } from './simplify.ts';

/** A place in the order of candidates: a stage, and how far it has come. */
export interface Cursor {
  readonly stage: number;
  readonly position: number;
}

/** A simpler scenario, and where to go on if it fails too. */
export interface Candidate {
  readonly scenario: Scenario;
  readonly cursor: Cursor;
}

interface Try {
  readonly scenario: Scenario;
  readonly position: number;
}

/** One way to simplify: tries with positions that never fall, from `from` on. */
type Stage = (scenario: Scenario, support: Support, from: number) => Iterable<Try>;

/** With this many operations or fewer they are dropped by twos: 66 tries at most. */
const PAIRS_OPERATIONS_MAX = 12;
/** And by threes: 84 tries at most. */
const TRIPLES_OPERATIONS_MAX = 9;

/** With fewer operations than this, dropping them one by one is as cheap as anything cleverer. */
const MANY_OPERATIONS = 9;

/** From what drops most to what changes least. */
const STAGES: readonly Stage[] = [
  dropEnd,
  dropDevice,
  dropGroup,
  ...[64, 32, 16, 8, 4, 3, 2, 1].map(dropChunk),
  dropSome(2, PAIRS_OPERATIONS_MAX),
  dropSome(3, TRIPLES_OPERATIONS_MAX),
  dropAndMoveDown,
  dropAndDisable,
  joinRanges,
  swapNeighbours,
  dropVectors,
  lowerNumbers,
  simplifyOne,
  mergeEventfds,
  simplifyConfig,
];

/**
 * Candidates, lazily and each strictly simpler by `measure`, so that shrinking ends. The first one that still fails is
 * taken and shrunk again, from where its cursor says: what did not work before it is not tried anew until all else
 * has been. When a full round brings nothing, no single step is left that would.
 */
export function* shrinkScenario(
  scenario: Scenario,
  support: Support,
  cursor: Cursor = { stage: 0, position: 0 },
): Generator<Candidate> {
  const size = measure(scenario);
  const outside = countOutside(scenario);
  for (const candidate of round(scenario, support, cursor)) {
    const { scenario: simpler } = candidate;
    if (!isSimpler(measure(simpler), size) || !isPossible(simpler)) continue;
    // What a guest does beside its table says nothing of what it did in it.
    if (isRanked(simpler.config) && countOutside(simpler) > outside) continue;
    yield candidate;
  }
}

/** Operations about vectors that their device does not have. */
function countOutside({ config, operations }: Scenario): number {
  return operations.filter(
    (operation) =>
      'vector' in operation && operation.vector >= (config.devices[operation.device] as PciFunction).msixVectors,
  ).length;
}

/** Whether each device can be made to do what it is to do: a system would not know how. */
function isPossible({ config, operations }: Scenario): boolean {
  return operations.every(
    (operation) => !('device' in operation) || suits(operation.kind, config.devices[operation.device] as PciFunction),
  );
}

function* round(scenario: Scenario, support: Support, cursor: Cursor): Generator<Candidate> {
  for (let turn = 0; turn <= STAGES.length; turn++) {
    const stage = (cursor.stage + turn) % STAGES.length;
    const from = turn === 0 ? cursor.position : 0;
    const end = turn === STAGES.length ? cursor.position : Number.POSITIVE_INFINITY;
    for (const { scenario: simpler, position } of (STAGES[stage] as Stage)(scenario, support, from)) {
      if (position >= end) break;
      yield { scenario: simpler, cursor: { stage, position } };
    }
  }
}

/** Looks for the operation at which it fails, by halves; the position is the length that is known to be too short. */
function* dropEnd({ config, operations }: Scenario, _support: Support, from: number): Generator<Try> {
  if (operations.length < MANY_OPERATIONS) return;
  let tooShort = from;
  while (operations.length - tooShort > 1) {
    const kept = Math.ceil((tooShort + operations.length) / 2);
    if (kept === operations.length) return;
    yield { scenario: { config, operations: operations.slice(0, kept) }, position: tooShort };
    tooShort = kept;
  }
}

/** One device less: without its operations, or with these on the first that is left. */
function* dropDevice({ config, operations }: Scenario, _support: Support, from: number): Generator<Try> {
  if (config.devices.length < 2) return;
  for (let device = from; device < config.devices.length; device++) {
    const devices = config.devices.filter((_, place) => place !== device);
    const others = operations.filter((operation) => !('device' in operation) || operation.device !== device);
    for (const kept of [others, operations]) {
      const scenario = {
        config: { ...config, devices },
        operations: kept.map((operation) => withoutDevice(operation, device)),
      };
      yield { scenario, position: device };
      if (config.mdev === undefined) continue;
      // Those that come after it have its numbers now.
      for (const moved of withNumbersMovedDown(scenario)) yield { scenario: moved, position: device };
    }
  }
}

/** The operation where `device` is gone: its own go to device 0, those of later devices follow them down. */
function withoutDevice(operation: Operation, device: number): Operation {
  if (!('device' in operation) || operation.device < device) return operation;
  return { ...operation, device: operation.device === device ? 0 : operation.device - 1 };
}

/** All operations of one sort: few sorts take part in a failure, and a scenario has many of each. */
function* dropGroup({ config, operations }: Scenario, _support: Support, from: number): Generator<Try> {
  if (operations.length < MANY_OPERATIONS) return;
  const groups = [...new Set(operations.map(groupOf))];
  for (let position = from; position < groups.length; position++) {
    const kept = operations.filter((operation) => groupOf(operation) !== groups[position]);
    yield { scenario: { config, operations: kept }, position };
  }
}

/** The operation's kind; for VFIO_DEVICE_SET_IRQS also what it asks, or that something is odd about it. */
function groupOf(operation: Operation): string {
  if (operation.kind === 'vfio.configWrite') return `${operation.kind} ${operation.field}`;
  if (operation.kind === 'device.arm') return `${operation.kind} ${operation.window}`;
  if (operation.kind === 'guest.msixControl') return `${operation.kind} ${operation.enable}`;
  if (operation.kind !== 'vfio.setIrqs') return operation.kind;
  const { flags, index, argsz, unreadable, count } = operation;
  if (index > VFIO_PCI_MSIX_IRQ_INDEX || argsz !== undefined || unreadable !== undefined) return 'odd';
  return `${index} ${flags}${count === 0 ? ' empty' : ''}`;
}

/** Neighbours, the last ones first; the position is how many at the end are known to be needed. */
function dropChunk(size: number): Stage {
  return function* dropChunksOfSize({ config, operations }, _support, from) {
    if (size > 1 && 2 * size > operations.length) return;
    for (let position = from; position < operations.length; position += size) {
      const end = operations.length - position;
      const kept = [...operations.slice(0, Math.max(0, end - size)), ...operations.slice(end)];
      yield { scenario: { config, operations: kept }, position };
    }
  };
}

/** What only goes together: an open with its close, an enable with its disable. The position is the first one's. */
function dropSome(count: number, operationsMax: number): Stage {
  return function* dropSoMany({ config, operations }, _support, from) {
    if (operations.length > operationsMax) return;
    for (let first = from; first + count <= operations.length; first++) {
      for (const others of subsets(operations.length, first + 1, count - 1)) {
        const kept = operations.filter((_, place) => place !== first && !others.includes(place));
        yield { scenario: { config, operations: kept }, position: first };
      }
    }
  };
}

/** One operation less, or less of one, and what the host gave after it has the number before; the position is its. */
function* dropAndMoveDown({ config, operations }: Scenario, support: Support, from: number): Generator<Try> {
  if (config.mdev === undefined || operations.length > PAIRS_OPERATIONS_MAX) return;
  for (let position = from; position < operations.length; position++) {
    const smaller = smallerRanges(operations[position] as Operation, config.devices, support);
    const others = [
      operations.toSpliced(position, 1),
      ...smaller.map((operation) => operations.with(position, operation)),
    ];
    for (const without of others) {
      for (const scenario of withNumbersMovedDown({ config, operations: without })) yield { scenario, position };
    }
  }
}

/** One operation less, and a plain disable in another's place; the position is the other's. */
function* dropAndDisable(scenario: Scenario, support: Support, from: number): Generator<Try> {
  const { config, operations } = scenario;
  if (config.mdev === undefined || operations.length > TRIPLES_OPERATIONS_MAX) return;
  if (!support.operations.has(disableKind(config))) return;
  for (let position = from; position < operations.length; position++) {
    for (const simpler of withDisable(scenario, position)) yield { scenario: simpler, position };
  }
}

/** A VFIO_DEVICE_SET_IRQS that gives fewer vectors something. */
function smallerRanges(operation: Operation, devices: readonly PciFunction[], support: Support): VfioSetIrqs[] {
  if (operation.kind !== 'vfio.setIrqs' || operation.count < 2) return [];
  const { flags, count } = operation;
  return [...simplifyOperation(operation, devices, support)].flatMap((simpler) => {
    const isLess = simpler.kind === 'vfio.setIrqs' && simpler.flags === flags && simpler.count < count;
    return isLess && simpler.count > 0 ? [simpler] : [];
  });
}

/** A PASID, a handle or a descriptor by a smaller number, all operations together; the position is the candidate's. */
function* lowerNumbers(scenario: Scenario, _support: Support, from: number): Generator<Try> {
  if (scenario.config.mdev === undefined) return;
  let position = 0;
  for (const simpler of withSmallerNumbers(scenario)) {
    if (position >= from) yield { scenario: simpler, position };
    position++;
  }
}

/** Every choice of `count` of the numbers from `from` to `end` - 1. */
function* subsets(end: number, from: number, count: number): Generator<number[]> {
  if (count === 0) yield [];
  else {
    for (let first = from; first + count <= end; first++) {
      for (const others of subsets(end, first + 1, count - 1)) yield [first, ...others];
    }
  }
}

/** Two neighbours in each other's place, where their order is looked at; the position is the first one's. */
function* swapNeighbours({ config, operations }: Scenario, _support: Support, from: number): Generator<Try> {
  if (!isRanked(config) || operations.length > PAIRS_OPERATIONS_MAX) return;
  for (let position = from; position + 1 < operations.length; position++) {
    const [one, other] = [operations[position] as Operation, operations[position + 1] as Operation];
    if (rank(one) <= rank(other)) continue;
    yield { scenario: { config, operations: operations.with(position, other).with(position + 1, one) }, position };
  }
}

/** Two ranges side by side asked for in one: at the place of the earlier operation, or of the later. */
function* joinRanges({ config, operations }: Scenario, _support: Support, from: number): Generator<Try> {
  if (operations.length > PAIRS_OPERATIONS_MAX) return;
  for (let first = from; first < operations.length; first++) {
    for (let second = first + 1; second < operations.length; second++) {
      const joined = joinedRange(operations[first] as Operation, operations[second] as Operation);
      if (joined === undefined) continue;
      for (const [place, dropped] of [[first, second] as const, [second, first] as const]) {
        yield {
          scenario: { config, operations: operations.with(place, joined).toSpliced(dropped, 1) },
          position: first,
        };
      }
    }
  }
}

/** One VFIO_DEVICE_SET_IRQS for two that ask alike of neighbouring ranges, or undefined. */
function joinedRange(one: Operation, other: Operation): VfioSetIrqs | undefined {
  if (one.kind !== 'vfio.setIrqs' || other.kind !== 'vfio.setIrqs') return undefined;
  if (one.device !== other.device || groupOf(one) !== groupOf(other)) return undefined;
  if (isMisfit(one) || isMisfit(other) || one.count === 0) return undefined;
  const [low, high] = one.start < other.start ? [one, other] : [other, one];
  if (low.start + low.count !== high.start) return undefined;
  return { ...low, count: low.count + high.count, data: [...low.data, ...high.data] };
}

function* dropVectors(scenario: Scenario, support: Support, from: number): Generator<Try> {
  let position = 0;
  for (const simpler of withoutVectors(scenario, support)) {
    if (position >= from) yield { scenario: simpler, position };
    position++;
  }
}

/** Operation by operation; the position is the operation's. */
function* simplifyOne({ config, operations }: Scenario, support: Support, from: number): Generator<Try> {
  for (let position = from; position < operations.length; position++) {
    for (const operation of simplifyOperation(operations[position] as Operation, config.devices, support)) {
      yield { scenario: { config, operations: operations.with(position, operation) }, position };
    }
  }
}

/**
 * Fewer eventfds in all operations at once: only one, two made one, and the rest numbered as they come. Triggers and
 * what unmasks stay apart.
 */
function* mergeEventfds({ config, operations }: Scenario, _support: Support, from: number): Generator<Try> {
  const names = namesByUse(operations);
  const isLike = (name: EventfdName) => (other: EventfdName) => isUnmaskName(name) === isUnmaskName(other);
  const renamings: ((name: EventfdName) => EventfdName)[] = [
    (name) => nameLike(name, names.filter(isLike(name)).indexOf(name)),
    (name) => nameLike(name),
  ];
  for (const one of names) {
    for (const other of names) {
      if (isLike(one)(other) && nameNumber(one) < nameNumber(other))
        renamings.push((name) => (name === other ? one : name));
    }
  }
  for (let position = from; position < renamings.length; position++) {
    const rename = renamings[position] as (typeof renamings)[number];
    yield {
      scenario: { config, operations: operations.map((operation) => renameEventfds(operation, rename)) },
      position,
    };
  }
}

/** Each once, in the order of their first use. */
function namesByUse(operations: readonly Operation[]): EventfdName[] {
  const names = new Set<EventfdName>();
  for (const operation of operations) {
    if ('eventfd' in operation) names.add(operation.eventfd);
    if (operation.kind === 'vfio.setIrqs')
      for (const element of operation.data) if (isEventfdName(element)) names.add(element);
  }
  return [...names];
}

/**
 * A smaller parent; a common machine, functions that have less, or others that there are, device 0 first. The position
 * is a device.
 */
function* simplifyConfig({ config, operations }: Scenario, support: Support, from: number): Generator<Try> {
  const { parent } = config;
  if (parent !== undefined && from === 0) {
    yield { scenario: renumberVms({ config, operations }), position: 0 };
    for (const less of simplerParents(parent))
      yield { scenario: { config: { ...config, parent: less }, operations }, position: 0 };
  }
  for (let position = from; position < config.devices.length; position++) {
    const { interruptRemapping, ...common } = config;
    if (interruptRemapping !== undefined) yield { scenario: { config: common, operations }, position };
    if (position > 0) yield { scenario: renumberVms(withDeviceFirst({ config, operations }, position)), position };
    for (const other of otherFunctions(config.devices[position] as PciFunction, support)) {
      const candidate = { ...config, devices: config.devices.with(position, other) };
      if (isSupportedConfig(candidate, support)) yield { scenario: { config: candidate, operations }, position };
    }
  }
}

function otherFunctions(pciFunction: PciFunction, { functions }: Support): Iterable<PciFunction> {
  if (pciFunction.mdev !== undefined) return simplerMdevs(pciFunction);
  if (functions === 'any') return simplerFunctions(pciFunction);
  const { whileOff } = pciFunction;
  const others = functions.flatMap((other): PciFunction[] => [
    { ...other, whileOff: 'latches' },
    ...(hasWhileOff(other) ? [{ ...other, whileOff }] : []),
  ]);
  return [{ ...pciFunction, whileOff: 'latches' }, ...others];
}

/** The scenario with a device and device 0 in each other's place. */
function withDeviceFirst({ config, operations }: Scenario, device: number): Scenario {
  const [zero, one] = [config.devices[0] as PciFunction, config.devices[device] as PciFunction];
  const swapped = new Map([
    [0, device],
    [device, 0],
  ]);
  return {
    config: { ...config, devices: config.devices.with(0, one).with(device, zero) },
    operations: operations.map((operation) =>
      'device' in operation ? { ...operation, device: swapped.get(operation.device) ?? operation.device } : operation,
    ),
  };
}
