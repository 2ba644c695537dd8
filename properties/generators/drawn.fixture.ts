import fc from 'fast-check';
import type { Operation, PciFunction, Platform, Scenario, Support, VfioSetIrqs } from '#vocabulary';
import {
  dataElementBytes,
  IRQ_SET_BYTES,
  isEventfdName,
  MSI_VECTORS,
  MSIX_VECTORS_MAX,
  OPERATION_KINDS,
  printOperation,
  RAW_KINDS,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';
import { TRIGGER_EVENTFD, UNMASK_EVENTFD } from './flags.ts';
import { isMisfit } from './measure.ts';
import { isDisable } from './memory.ts';
import { nameNumber } from './names.ts';
import { scenarios } from './scenario.ts';

export const SEED = 20261121;

export const DYNAMIC: Platform = {
  host: { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
};
export const STATIC: Platform = {
  host: { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' },
};

export const ANYTHING: Support = {
  operations: new Set(OPERATION_KINDS),
  functions: 'any',
  withoutRemapping: true,
  vmm: 'configured',
  devicesMax: 4,
  host: 'configured',
};

function msixOnly(msixVectors: number): PciFunction {
  return { msixVectors, whileOff: 'latches' };
}

/** As a real machine might be: few devices, no control over the host. */
export const LITTLE: Support = {
  operations: new Set(['vfio.setIrqs', 'device.raise', 'vfio.close']),
  functions: [4, 16, 65].map(msixOnly),
  withoutRemapping: false,
  vmm: 'none',
  devicesMax: 1,
  host: 'own',
};

export const EDU: PciFunction = { msixVectors: 0, whileOff: 'latches', msiVectors: 1, intx: true };
export const NVME: PciFunction = {
  ...{ msixVectors: 65, whileOff: 'latches', intx: true, express: true },
  ...{ reset: true, powerManagement: true, silent: true },
};
export const XHCI: PciFunction = {
  ...{ msixVectors: 0, whileOff: 'latches', msiVectors: 16 },
  ...{ intx: true, express: true, silent: true },
};

/** A machine with devices of all sorts, most of them twice. */
export const BOARD: Support = {
  operations: new Set(RAW_KINDS.filter((kind) => kind !== 'host.failAllocation')),
  functions: [...[4, 4, 10, 10, 36, 36, 66, 66].map(msixOnly), EDU, EDU, NVME, XHCI],
  withoutRemapping: true,
  vmm: 'none',
  devicesMax: 2,
  host: 'own',
};

export function sample(support: Support, platform: Platform, count: number, lengthMax?: number): Scenario[] {
  return fc.sample(scenarios(support, platform, lengthMax), { numRuns: count, seed: SEED });
}

/** What a scenario has that its support does not have, or that nothing has, in words. */
export function excesses({ config, operations }: Scenario, support: Support): string[] {
  const { devices, interruptRemapping } = config;
  const found: string[] = [];
  if (devices.length === 0 || devices.length > support.devicesMax) found.push(`${devices.length} devices`);
  if (interruptRemapping === false && !support.withoutRemapping) found.push('no remapping');
  for (const pciFunction of devices) {
    if (!isFunction(pciFunction)) found.push(describeFunction(pciFunction));
    if (support.functions === 'any') continue;
    if (countAlike(devices, pciFunction) > countAlike(support.functions, pciFunction)) {
      found.push(`one ${describeFunction(pciFunction)} too many`);
    }
  }
  for (const operation of operations) {
    if (!support.operations.has(operation.kind)) found.push(operation.kind);
    if (isImpossible(operation, devices) || misusesNames(operation)) found.push(printOperation(operation));
  }
  return found;
}

function countAlike(functions: readonly PciFunction[], pciFunction: PciFunction): number {
  return functions.filter((other) => describeFunction(other) === describeFunction(pciFunction)).length;
}

/** All but whileOff. */
export function describeFunction({ whileOff: _either, ...pciFunction }: PciFunction): string {
  return JSON.stringify(pciFunction, Object.keys(pciFunction).sort());
}

function isImpossible(operation: Operation, devices: readonly PciFunction[]): boolean {
  if (!('device' in operation)) return false;
  const pciFunction = devices[operation.device];
  if (pciFunction === undefined) return true;
  const isOwnEvent = /^device\.(raise|arm|assertIntx|deassertIntx)$/.test(operation.kind);
  const isOfTable = /^(vfio\.(tableRead|tableWrite|pbaRead)|device\.wipe)$/.test(operation.kind);
  return (
    (isOwnEvent && pciFunction.silent === true) ||
    (isOwnEvent && operation.kind.endsWith('Intx') && pciFunction.intx === undefined) ||
    (isOfTable && pciFunction.msixVectors === 0)
  );
}

/** A name from e100 on that triggers, or another one that is attached to unmask INTx. */
export function misusesNames(operation: Operation): boolean {
  if (operation.kind !== 'vfio.setIrqs') return false;
  const { index, flags, data } = operation;
  const names = data.filter(isEventfdName).map(nameNumber);
  const unmasks = index === VFIO_PCI_INTX_IRQ_INDEX && (flags & UNMASK_EVENTFD) === UNMASK_EVENTFD;
  const triggers = (flags & VFIO_IRQ_SET_ACTION_TRIGGER) !== 0;
  return (triggers && names.some((name) => name > 99)) || (unmasks && !triggers && names.some((name) => name < 100));
}

/** Whether these follow one another on one device, with up to two other operations between two of them. */
export function tells({ config, operations }: Scenario, ...looks: readonly ((of: Operation) => boolean)[]): boolean {
  return config.devices.some((_, device) => {
    const own = operations.filter((of) => !('device' in of) || of.device === device);
    const goesOn = (place: number, told: number): boolean =>
      told === looks.length ||
      own
        .slice(place, place + 3)
        .some((of, skipped) => looks[told]?.(of) === true && goesOn(place + skipped + 1, told + 1));
    return own.some((of, place) => looks[0]?.(of) === true && goesOn(place + 1, 1));
  });
}

function isFunction({ msixVectors, whileOff, msiVectors, intx, silent }: PciFunction): boolean {
  const hasWhileOff = msixVectors > 0 && silent === undefined;
  return (
    msixVectors >= 0 &&
    msixVectors <= MSIX_VECTORS_MAX &&
    (msiVectors === undefined || MSI_VECTORS.includes(msiVectors)) &&
    (msixVectors > 0 || msiVectors !== undefined || intx === true) &&
    (whileOff === 'latches' || hasWhileOff)
  );
}

/** Well-formed EVENTFD for MSI-X vectors of the table. */
export function isArming(operation: Operation, { config }: Scenario): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
    operation.flags === TRIGGER_EVENTFD &&
    operation.count > 0 &&
    operation.start + operation.count <= (config.devices[operation.device]?.msixVectors ?? 0) &&
    operation.argsz === undefined &&
    operation.unreadable === undefined &&
    !isMisfit(operation)
  );
}

export function isDisabling(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    isDisable(operation) &&
    operation.argsz === undefined &&
    operation.unreadable === undefined
  );
}

export function setsOf({ operations }: Scenario): VfioSetIrqs[] {
  return operations.filter((operation) => operation.kind === 'vfio.setIrqs');
}

export function firstBad({ data }: VfioSetIrqs): number {
  return data.findIndex((element) => element === 'bad' || element === 'notEventfd');
}

export function bytesNeeded({ count, flags }: VfioSetIrqs): number {
  return IRQ_SET_BYTES + count * dataElementBytes(flags);
}

/** Looks at each operation on a device with the end of what was asked for before it, MSI-X on: 0 when off. */
export function meets(
  scenario: Scenario,
  look: (operation: Operation, end: number, before: Operation[]) => boolean,
): boolean {
  return scenario.config.devices.some((_, device) => {
    let end = 0;
    const before: Operation[] = [];
    return scenario.operations.some((operation) => {
      if (!('device' in operation) || operation.device !== device) return false;
      const met = look(operation, end, before);
      if (isDisabling(operation)) end = 0;
      if (isArming(operation, scenario) && firstBad(operation) === -1) {
        end = Math.max(end, operation.start + operation.count);
      }
      before.push(operation);
      return met;
    });
  });
}

export function crosses({ start, count }: VfioSetIrqs, end: number): boolean {
  return end > 0 && start < end && start + count > end;
}

/** Enable, disable, raise of an enabled vector, the same vector again. */
export function raisesBetween(scenario: Scenario): boolean {
  return scenario.config.devices.some((_, device) => {
    const stages = new Map<number, number>();
    return scenario.operations.some((operation) => {
      if (!('device' in operation) || operation.device !== device) return false;
      if (isDisabling(operation)) for (const [vector, stage] of stages) if (stage === 1) stages.set(vector, 2);
      if (operation.kind === 'device.raise' && stages.get(operation.vector) === 2) stages.set(operation.vector, 3);
      if (!isArming(operation, scenario)) return false;
      return operation.data.some((_, place) => {
        const vector = operation.start + place;
        if (stages.get(vector) === 3) return true;
        stages.set(vector, 1);
        return false;
      });
    });
  });
}

export function tableOf({ config }: Scenario, { device }: VfioSetIrqs): number {
  return config.devices[device]?.msixVectors ?? 0;
}

export function gapThenDisable(operation: Operation, end: number, before: Operation[]): boolean {
  return end > 0 && isDisabling(operation) && before.at(-1)?.kind === 'device.arm';
}

/** Everything that argsz speaks of is not there. */
export function promisesTooMuch(operation: VfioSetIrqs): boolean {
  return (operation.argsz ?? 0) >= bytesNeeded(operation) && operation.data.length < operation.count;
}
