import type { Config, OperationKind, PciFunction, Support } from '#vocabulary';
import { MSI_VECTORS } from '#vocabulary';

/** Indices of which at most one is enabled at a time. */
export type Family = 'msix' | 'msi' | 'intx';

/** What a function can tell its events by, never nothing for a function that is drawn. */
export function familiesOf({ msixVectors, msiVectors, intx }: PciFunction): Family[] {
  const families: Family[] = [];
  if (msixVectors > 0) families.push('msix');
  if (msiVectors !== undefined) families.push('msi');
  if (intx !== undefined) families.push('intx');
  return families;
}

/** MSI-X and nothing that a configuration space needs beyond it. */
export function isMsixOnly(pciFunction: PciFunction): boolean {
  return pciFunction.msixVectors > 0 && attributes(pciFunction) === 0;
}

/** Whether it makes a difference what the function does with an event while MSI-X is off. */
export function hasWhileOff({ msixVectors, silent }: PciFunction): boolean {
  return msixVectors > 0 && silent === undefined;
}

/** What a function may lack, what it is easiest to do without first. */
const OPTIONAL = ['silent', 'powerManagement', 'reset', 'express', 'intx', 'msiVectors'] as const;

/** How much a function has that it could do without. */
export function attributes({ silent, powerManagement, reset, express, intx, msiVectors }: PciFunction): number {
  let count = 0;
  if (silent !== undefined) count++;
  if (powerManagement !== undefined) count++;
  if (reset !== undefined) count++;
  if (express !== undefined) count++;
  if (intx !== undefined) count++;
  if (msiVectors !== undefined) count++;
  return count;
}

/** Equal for functions that are the same device, whose `whileOff` is as the Config says. */
function keyOf(pciFunction: PciFunction): string {
  return [pciFunction.msixVectors, ...OPTIONAL.map((attribute) => pciFunction[attribute])].join();
}

/** Whether a system can have mdevs at all: they are made, and so in no list of functions. */
export function hasMdevs({ operations }: Support): boolean {
  return operations.has('guest.submit');
}

/** Whether a system has these functions, each device of a list once, and this kind of machine. */
export function isSupportedConfig({ devices, interruptRemapping, mdev }: Config, support: Support): boolean {
  if (devices.length > support.devicesMax) return false;
  if (mdev !== undefined) return hasMdevs(support);
  if (interruptRemapping !== undefined && !support.withoutRemapping) return false;
  if (support.functions === 'any') return true;
  const keys = support.functions.map(keyOf);
  return devices.every((device) => {
    const place = keys.indexOf(keyOf(device));
    if (place !== -1) keys.splice(place, 1);
    return place !== -1;
  });
}

/** The entries of a list that are left for one more device. */
export function unusedFunctions(functions: readonly PciFunction[], devices: readonly PciFunction[]): PciFunction[] {
  const left = [...functions];
  for (const device of devices) {
    const place = left.findIndex((entry) => keyOf(entry) === keyOf(device));
    if (place !== -1) left.splice(place, 1);
  }
  return left;
}

/** Whether a device can be made to do it: nothing asserts a pin that is not there, nothing makes a silent one raise. */
export function suits(kind: OperationKind, { msixVectors, intx, silent }: PciFunction): boolean {
  switch (kind) {
    case 'device.raise':
    case 'device.arm':
      return silent === undefined;
    case 'device.assertIntx':
    case 'device.deassertIntx':
      return intx !== undefined && silent === undefined;
    case 'vfio.tableRead':
    case 'vfio.tableWrite':
    case 'vfio.pbaRead':
    case 'device.wipe':
      return msixVectors > 0;
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.getIrqInfo':
    case 'vfio.setIrqs':
    case 'vfio.reset':
    case 'vfio.configWrite':
    case 'vfio.configRead':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
    case 'host.limitVectors':
    case 'host.failAllocation':
    case 'guest.msixControl':
    case 'guest.configWrite':
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.tableWrite':
    case 'guest.tableRead':
    case 'guest.readPba':
    case 'guest.busMaster':
    case 'guest.reset':
    case 'guest.msixPerm':
    case 'guest.requestHandle':
    case 'guest.bindPasid':
    case 'guest.freePasid':
    case 'guest.releaseHandle':
    case 'guest.submit':
    case 'device.start':
    case 'device.complete':
    case 'device.armDescriptor':
    case 'host.createMdev':
    case 'host.removeMdev':
    case 'host.attach':
    case 'host.detach':
    case 'host.crash':
      return true;
  }
}

/** The function without one of the things it has, or with less of one; it keeps something to tell events by. */
export function* simplerFunctions(pciFunction: PciFunction): Generator<PciFunction> {
  const { msixVectors, whileOff, msiVectors = 0 } = pciFunction;
  if (whileOff === 'drops') yield { ...pciFunction, whileOff: 'latches' };
  if (attributes(pciFunction) > 1) yield { msixVectors: Math.max(1, msixVectors), whileOff };
  for (const attribute of OPTIONAL) {
    if (pciFunction[attribute] === undefined) continue;
    const { [attribute]: _dropped, ...without } = pciFunction;
    yield familiesOf(without).length > 0 ? without : { ...without, msixVectors: 1 };
  }
  for (const size of MSI_VECTORS) if (size < msiVectors) yield { ...pciFunction, msiVectors: size };
  if (familiesOf({ ...pciFunction, msixVectors: 0 }).length > 0) {
    yield { ...pciFunction, msixVectors: 0, whileOff: 'latches' };
  }
  for (const size of new Set([1, msixVectors >> 1, msixVectors - 1])) {
    if (size > 0 && size < msixVectors) yield { ...pciFunction, msixVectors: size };
  }
}
