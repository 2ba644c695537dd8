import type { Random } from 'fast-check';
import { Arbitrary, Stream, Value } from 'fast-check';
import type {
  Config,
  ConfigField,
  DataElement,
  EventfdName,
  GuestOperation,
  MdevOperation,
  Operation,
  OperationKind,
  Platform,
  RawOperation,
  Scenario,
  Support,
} from '#vocabulary';
import {
  CONFIG_FIELDS,
  CONFIG_WIDTHS,
  dataElementBytes,
  GUEST_KINDS,
  isAskable,
  MDEV_KINDS,
  MSIX_CAPABILITY_BYTES,
  MSIX_ENTRY_BYTES,
  OPERATION_KINDS,
  TABLE_WIDTHS,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  WINDOWS,
} from '#vocabulary';
import { drawConfig } from './config.ts';
import { drawGuestConfig } from './guest-config.ts';
import { drawMdevConfig } from './mdev-config.ts';
import { renamed } from './names.ts';
import { suits } from './pci-function.ts';
import { pick } from './random.ts';

/** Operations in a scenario: as many as a plain one of ours has. */
const OPERATIONS_MIN = 5;
const OPERATIONS_MAX = 60;

const DATA_FLAGS: readonly number[] = [VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL, VFIO_IRQ_SET_DATA_EVENTFD];
const ACTION_FLAGS: readonly number[] = [
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
];
export const EVENTFDS: readonly EventfdName[] = ['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7'];
const DATA: readonly DataElement[] = [...EVENTFDS, -1, 'bad', 'notEventfd'];
/** Of vectors that can be had: enough, few, none. */
const LIMIT_MAX = 16;
const FAILING_MAX = 8;
const DESCRIPTORS_MAX = 3;
export const UINT32_MAX = 0xffffffff;
/** The first index that there is not. */
export const INDICES = 5;

/**
 * Scenarios as one would draw them who knows the types alone: each kind of operation as likely as any other, each
 * argument anywhere in its range or one beyond, and nothing remembered. Only the machine, and so the range of each
 * argument, is ours. What the other generators are measured against.
 */
export function uniformScenarios(support: Support, platform: Platform): Arbitrary<Scenario> {
  return new UniformArbitrary(support, platform);
}

/** Nothing of it is ever shrunk: only the cost until something is found is measured. */
class UniformArbitrary extends Arbitrary<Scenario> {
  readonly #support: Support;
  readonly #platform: Platform;

  constructor(support: Support, platform: Platform) {
    super();
    this.#support = support;
    this.#platform = platform;
  }

  override generate(random: Random): Value<Scenario> {
    return new Value(drawUniformScenario(random, this.#support, this.#platform), undefined);
  }

  override canShrinkWithoutContext(_value: unknown): _value is Scenario {
    return false;
  }

  override shrink(): Stream<Value<Scenario>> {
    return Stream.nil();
  }
}

function drawUniformScenario(random: Random, support: Support, platform: Platform): Scenario {
  const config = drawMachine(random, support, platform);
  const kinds = OPERATION_KINDS.filter(
    (kind) =>
      support.operations.has(kind) && isAskable(config, kind) && config.devices.some((device) => suits(kind, device)),
  );
  const operations: Operation[] = [];
  const length = random.nextInt(OPERATIONS_MIN, OPERATIONS_MAX);
  while (operations.length < length) operations.push(drawUniform(random, config, pick(random, kinds)));
  return { config, operations };
}

function drawMachine(random: Random, support: Support, { host, mdev, vmm }: Platform): Config {
  if (mdev !== undefined)
    return drawMdevConfig(random, support, vmm === undefined ? { host, mdev } : { host, mdev, vmm });
  return vmm === undefined ? drawConfig(random, support, host) : drawGuestConfig(random, support, { host, vmm });
}

/** What the arguments of one operation are drawn from. */
interface Ranges {
  readonly random: Random;
  readonly config: Config;
  readonly device: number;
  /** Vectors of the device. */
  readonly size: number;
  readonly upTo: (most: number) => number;
  readonly coin: () => boolean;
}

const MDEV: ReadonlySet<OperationKind> = new Set(MDEV_KINDS);
const GUEST: ReadonlySet<OperationKind> = new Set(GUEST_KINDS);

function drawUniform(random: Random, config: Config, kind: OperationKind): Operation {
  const device = random.nextInt(0, config.devices.length - 1);
  const ranges: Ranges = {
    ...{ random, config, device, size: config.devices[device]?.msixVectors ?? 0 },
    upTo: (most) => random.nextInt(0, most),
    coin: () => random.nextInt(0, 1) === 1,
  };
  if (isOfMdevs(kind)) return drawOfMdev(ranges, kind);
  return isOfGuests(kind) ? drawOfGuest(ranges, kind) : drawRaw(ranges, kind);
}

function isOfMdevs(kind: OperationKind): kind is MdevOperation['kind'] {
  return MDEV.has(kind);
}

function isOfGuests(kind: Exclude<OperationKind, MdevOperation['kind']>): kind is GuestOperation['kind'] {
  return GUEST.has(kind);
}

function drawRaw({ random, config, device, size, upTo }: Ranges, kind: RawOperation['kind']): Operation {
  switch (kind) {
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.reset':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
      return { kind, device };
    case 'vfio.getIrqInfo':
      return { kind, device, index: upTo(INDICES) };
    case 'vfio.setIrqs':
      return drawSetIrqs(random, config, device);
    case 'vfio.configWrite': {
      const field = pick(random, CONFIG_FIELDS);
      return { kind, device, field, value: pick(random, valuesOf(field)) };
    }
    case 'vfio.configRead':
      return { kind, device, field: pick(random, CONFIG_FIELDS) };
    case 'vfio.tableRead':
    case 'vfio.pbaRead':
    case 'device.raise':
      return { kind, device, vector: upTo(size) };
    case 'vfio.tableWrite':
      return { kind, device, vector: upTo(size), value: upTo(UINT32_MAX) };
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
      return { kind, eventfd: pick(random, EVENTFDS) };
    case 'device.arm':
      return { kind, device, vector: upTo(size), window: pick(random, WINDOWS) };
    case 'host.limitVectors':
      return { kind, count: upTo(LIMIT_MAX) };
    case 'host.failAllocation':
      return { kind, nth: random.nextInt(1, FAILING_MAX) };
  }
}

/** What a field of configuration space may be written with: of Message Control the two bits that are no constants. */
export function valuesOf(field: ConfigField): readonly number[] {
  switch (field) {
    case 'msixControl':
      return [0, 0x4000, 0x8000, 0xc000];
    case 'power':
      return [0, 3];
    case 'intxDisable':
    case 'memory':
    case 'busMaster':
    case 'msiEnable':
      return [0, 1];
  }
}

function drawOfGuest({ random, device, size, upTo, coin }: Ranges, kind: GuestOperation['kind']): Operation {
  switch (kind) {
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.readPba':
      return { kind, device, vector: upTo(size) };
    case 'guest.reset':
      return { kind, device };
    case 'guest.busMaster':
      return { kind, device, enable: coin() };
    case 'guest.msixControl':
      return { kind, device, enable: coin(), functionMask: coin() };
    case 'guest.configWrite': {
      const offset = upTo(MSIX_CAPABILITY_BYTES - 1);
      return { kind, device, offset, width: pick(random, CONFIG_WIDTHS), value: upTo(UINT32_MAX) };
    }
    case 'guest.tableWrite': {
      const place = { device, vector: upTo(size), offset: upTo(MSIX_ENTRY_BYTES - 1) };
      const width = pick(random, TABLE_WIDTHS);
      const high = width === 8 ? { high: upTo(UINT32_MAX) } : {};
      return { kind, ...place, width, value: upTo(UINT32_MAX), ...high };
    }
    case 'guest.tableRead':
      return { kind, device, vector: upTo(size), offset: 4 * upTo(3) };
  }
}

function drawOfMdev({ random, config, device, size, upTo, coin }: Ranges, kind: MdevOperation['kind']): Operation {
  const { entries = 0, pasids = 0 } = config.parent ?? {};
  const pasid = upTo(pasids + 1);
  const descriptor = upTo(DESCRIPTORS_MAX);
  switch (kind) {
    case 'guest.msixPerm':
      return { kind, device, vector: upTo(size), pasidEnable: coin(), pasid, ignore: coin() };
    case 'guest.bindPasid':
    case 'guest.freePasid':
      return { kind, device, pasid };
    case 'guest.requestHandle':
      return { kind, device, vector: upTo(size), ...(coin() ? { ims: true } : {}) };
    case 'guest.releaseHandle':
      return { kind, device, operand: upTo(Math.max(size, entries)) };
    case 'guest.submit': {
      const queue = coin() ? 'dedicated' : 'shared';
      return { kind, device, descriptor, queue, pasid, handle: upTo(entries), ...(coin() ? { rci: false } : {}) };
    }
    case 'device.start':
    case 'device.complete':
      return { kind, descriptor };
    case 'device.armDescriptor':
      return { kind, device, descriptor, window: pick(random, WINDOWS) };
    case 'host.createMdev':
    case 'host.removeMdev':
    case 'host.attach':
    case 'host.detach':
      return { kind, device };
    case 'host.crash':
      return { kind, vm: config.devices[device]?.mdev?.vm ?? 0 };
  }
}

/** Every index, every pair of a data and an action bit, a range that begins in the table and may end one beyond it. */
function drawSetIrqs(random: Random, { devices }: Config, device: number): Operation {
  const { msixVectors = 0, msiVectors = 0 } = devices[device] ?? {};
  const index = random.nextInt(0, INDICES);
  const size = index === VFIO_PCI_MSIX_IRQ_INDEX ? msixVectors : index === VFIO_PCI_MSI_IRQ_INDEX ? msiVectors : 1;
  const flags = pick(random, DATA_FLAGS) | pick(random, ACTION_FLAGS);
  const start = random.nextInt(0, size);
  const count = random.nextInt(0, size + 1 - start);
  const elements = dataElementBytes(flags) === 0 ? 0 : count;
  const data = Array.from({ length: elements }, () =>
    dataElementBytes(flags) === 4 ? pick(random, DATA) : random.nextInt(0, 255),
  );
  return renamed({ kind: 'vfio.setIrqs', device, flags, index, start, count, data });
}
