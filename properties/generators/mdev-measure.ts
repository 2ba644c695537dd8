import type { Config, MdevOperation } from '#vocabulary';
import { WINDOWS } from '#vocabulary';

/** The numbers of an operation that are neither vectors nor places: PASIDs and handles. */
export function mdevValues(operation: MdevOperation): number {
  switch (operation.kind) {
    case 'guest.msixPerm':
    case 'guest.bindPasid':
    case 'guest.freePasid':
      return operation.pasid;
    case 'guest.releaseHandle':
      return operation.operand;
    case 'guest.submit':
      return operation.pasid + operation.handle;
    case 'device.start':
    case 'device.complete':
    case 'device.armDescriptor':
    case 'guest.requestHandle':
    case 'host.createMdev':
    case 'host.removeMdev':
    case 'host.attach':
    case 'host.detach':
    case 'host.crash':
      return 0;
  }
}

/** What is not as in the plainest operation of its kind. */
export function mdevOddity(operation: MdevOperation): number {
  switch (operation.kind) {
    case 'guest.msixPerm':
      return (operation.pasidEnable ? 1 : 0) + (operation.ignore ? 1 : 0);
    case 'guest.requestHandle':
      return operation.ims === undefined ? 0 : 1;
    case 'guest.submit':
      return (operation.queue === 'shared' ? 1 : 0) + (operation.rci === undefined ? 0 : 1);
    case 'device.armDescriptor':
      return 1 + WINDOWS.indexOf(operation.window);
    case 'host.crash':
    case 'host.removeMdev':
      return 1;
    case 'guest.bindPasid':
    case 'guest.freePasid':
    case 'guest.releaseHandle':
    case 'device.start':
    case 'device.complete':
    case 'host.createMdev':
    case 'host.attach':
    case 'host.detach':
      return 0;
  }
}

/** What a machine with mdevs could do without: handles that have to be asked for, a quota, virtual IOMMUs. */
export function mdevConfigOddity({ parent, devices }: Config): number {
  if (parent === undefined) return 0;
  const withIommu = devices.filter(({ mdev }) => mdev?.viommu === true).length;
  return withIommu + (parent.handles === 'requested' ? 1 : 0) + (parent.quota === parent.entries ? 0 : 1);
}

/** How large the parent is. */
export function parentSize({ parent }: Config): number {
  return parent === undefined ? 0 : parent.entries + parent.pasids + parent.quota;
}
