import {
  type Config,
  type DataElement,
  type GuestOperation,
  type GuestTableWrite,
  isAskable,
  isEventfdName,
  isGuestOperation,
  isMdevOperation,
  type MdevOperation,
  MSIX_ENTRY_BYTES,
  type Operation,
  printOperation,
  type RawOperation,
  type Scenario,
  type Support,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';
import { TRIGGER_EVENTFD, TRIGGER_NONE } from '../generators/flags.ts';
import { suits } from '../generators/pci-function.ts';

/** Highest index of interrupts that have a range of vectors or one: INTx, MSI, MSI-X, ERR and REQ. */
const INDEX_MAX = 4;

/** Where Message Data is in an entry; the mask bit follows it. */
const DATA_OFFSET = 8;

/**
 * Simple operations about the same thing as a given one: it undone, with smaller numbers, with its neighbour. All can
 * be asked of the machine, and none is the operation itself.
 */
export function variantsOf(operation: Operation, config: Config, support: Support): readonly Operation[] {
  const known = new Set([printOperation(operation)]);
  return relatives(operation, config).filter((variant) => {
    const words = printOperation(variant);
    if (known.has(words) || !isPossible(variant, config, support)) return false;
    known.add(words);
    return true;
  });
}

/** The operation about each other vector of its device that the scenario speaks of. */
export function movedTo(operation: Operation, { operations }: Scenario): readonly Operation[] {
  if (!('vector' in operation)) return [];
  const vectors = operations.flatMap((other) =>
    'vector' in other && other.device === operation.device && other.vector !== operation.vector ? other.vector : [],
  );
  return [...new Set(vectors)].map((vector) => ({ ...operation, vector }));
}

function isPossible(operation: Operation, config: Config, { operations }: Support): boolean {
  const device = 'device' in operation ? config.devices[operation.device] : undefined;
  return (
    operations.has(operation.kind) &&
    isAskable(config, operation.kind) &&
    (device === undefined || suits(operation.kind, device))
  );
}

function relatives(operation: Operation, config: Config): readonly Operation[] {
  if (isGuestOperation(operation)) return guestRelatives(operation, config);
  return isMdevOperation(operation) ? mdevRelatives(operation, config) : rawRelatives(operation, config);
}

function guestRelatives(operation: GuestOperation, config: Config): readonly Operation[] {
  const { device } = operation;
  const controls = [true, false].flatMap((enable) =>
    [false, true].map((functionMask): Operation => ({ kind: 'guest.msixControl', device, enable, functionMask })),
  );
  switch (operation.kind) {
    case 'guest.msixControl':
      return controls.slice(0, 3);
    case 'guest.configWrite':
      return controls.slice(0, 3);
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.readPba':
    case 'guest.tableRead':
      return masks(device, operation.vector);
    case 'guest.tableWrite':
      return tableWriteRelatives(operation, config);
    case 'guest.busMaster':
      return [true, false].map((enable) => ({ ...operation, enable }));
    case 'guest.reset':
      return [{ kind: 'guest.busMaster', device, enable: false }];
  }
}

/** About the entry that the write ends in: masked, unmasked, and Message Data and the mask bit in one write. */
function tableWriteRelatives(operation: GuestTableWrite, { devices }: Config): readonly Operation[] {
  const { kind, device, offset, width } = operation;
  const isBeyond = offset + width > MSIX_ENTRY_BYTES && operation.vector + 1 < (devices[device]?.msixVectors ?? 0);
  const vector = operation.vector + (isBeyond ? 1 : 0);
  return [
    ...masks(device, vector),
    { kind, device, vector, offset: DATA_OFFSET, width: 8, value: 0 },
    { kind, device, vector, offset: DATA_OFFSET, width: 8, value: 0, high: 1 },
  ];
}

function masks(device: number, vector: number): readonly Operation[] {
  return [
    { kind: 'guest.unmask', device, vector },
    { kind: 'guest.mask', device, vector },
  ];
}

/** The vector, and the last one of the table where it is another. */
function vectorsNear(device: number, vector: number, { devices }: Config): readonly number[] {
  const last = (devices[device]?.msixVectors ?? 0) - 1;
  return last > vector ? [vector, last] : [vector];
}

function mdevRelatives(operation: MdevOperation, config: Config): readonly Operation[] {
  switch (operation.kind) {
    case 'guest.bindPasid':
    case 'guest.freePasid': {
      const { device, pasid } = operation;
      return [
        { kind: 'guest.bindPasid', device, pasid },
        { kind: 'guest.freePasid', device, pasid },
      ];
    }
    case 'guest.msixPerm':
    case 'guest.requestHandle':
      return vectorsNear(operation.device, operation.vector, config).map((vector) => ({ ...operation, vector }));
    case 'guest.submit':
      return [{ ...operation, queue: 'dedicated', pasid: 0 }];
    case 'device.armDescriptor': {
      const { descriptor } = operation;
      return [
        { kind: 'device.start', descriptor },
        { kind: 'device.complete', descriptor },
      ];
    }
    case 'host.removeMdev':
    case 'host.createMdev':
    case 'host.attach':
    case 'host.detach':
      return [{ kind: 'vfio.close', device: operation.device }];
    case 'guest.releaseHandle':
    case 'device.start':
    case 'device.complete':
    case 'host.crash':
      return [];
  }
}

function rawRelatives(operation: RawOperation, config: Config): readonly Operation[] {
  switch (operation.kind) {
    case 'vfio.setIrqs':
      return setIrqsRelatives(operation, config);
    case 'vfio.open':
    case 'vfio.close':
      return (['vfio.close', 'vfio.open'] as const).map((kind) => ({ kind, device: operation.device }));
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
      return (['vfio.mapBar', 'vfio.unmapBar'] as const).map((kind) => ({ kind, device: operation.device }));
    case 'vfio.configWrite':
      return operation.field === 'msixControl' || operation.field === 'power'
        ? [{ ...operation, value: 0 }]
        : [0, 1].map((value) => ({ ...operation, value }));
    case 'vfio.tableWrite':
      return [0, 1].map((value) => ({ ...operation, value }));
    case 'device.arm': {
      const { device, vector } = operation;
      return [{ kind: 'device.raise', device, vector }];
    }
    case 'device.assertIntx':
    case 'device.deassertIntx':
      return (['device.assertIntx', 'device.deassertIntx'] as const).map((kind) => ({
        kind,
        device: operation.device,
      }));
    case 'host.limitVectors':
      return [...new Set([operation.count - 1, 0])]
        .filter((count) => count >= 0)
        .map((count) => ({ ...operation, count }));
    case 'host.failAllocation':
      return [{ ...operation, nth: 1 }];
    case 'device.raise':
      return vectorsNear(operation.device, operation.vector, config).map((vector) => ({ ...operation, vector }));
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
    case 'vfio.getIrqInfo':
    case 'vfio.reset':
    case 'vfio.configRead':
    case 'vfio.tableRead':
    case 'vfio.pbaRead':
    case 'device.wipe':
      return [];
  }
}

/** Disabled; fired by the user; disarmed; given to one vector, to two, to one and then to none that can have it. */
function setIrqsRelatives(operation: VfioSetIrqs, { devices }: Config): readonly Operation[] {
  const { device, index, start, data } = operation;
  if (index > INDEX_MAX) return [];
  const call = (flags: number, from: number, of: readonly DataElement[], count = of.length): Operation => ({
    ...{ kind: 'vfio.setIrqs', device, flags, index, start: from, count, data: of },
  });
  const off = call(TRIGGER_NONE, 0, []);
  const name = data.find(isEventfdName);
  if (name === undefined) return [off];
  const size = index === VFIO_PCI_MSIX_IRQ_INDEX ? (devices[device]?.msixVectors ?? 0) : 0;
  const ranges = [
    [name],
    [-1],
    ...(start + 1 < size
      ? [
          [name, name],
          [name, 'bad' as const],
        ]
      : []),
  ];
  return [
    off,
    call(TRIGGER_NONE, start, [], 1),
    ...ranges.map((range) => call(TRIGGER_EVENTFD, start, range)),
    ...(start + 1 < size ? [call(TRIGGER_EVENTFD, size - 1, [name])] : []),
  ];
}
