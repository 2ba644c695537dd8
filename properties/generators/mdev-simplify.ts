import type { MdevOperation, Operation, Parent, PciFunction, Scenario } from '#vocabulary';
import { WINDOWS } from '#vocabulary';
import { smaller } from './smaller.ts';

/** Ways to write one operation more simply. Some are no simpler: who asks compares. */
export function* simplifyMdevOperation(operation: MdevOperation): Generator<Operation> {
  switch (operation.kind) {
    case 'guest.msixPerm':
      yield { ...operation, pasidEnable: false, pasid: 0 };
      yield { ...operation, pasidEnable: false, ignore: false };
      yield { ...operation, ignore: false };
      for (const pasid of smaller(operation.pasid)) yield { ...operation, pasid };
      for (const vector of smaller(operation.vector)) yield { ...operation, vector };
      return;
    case 'guest.bindPasid':
    case 'guest.freePasid':
      for (const pasid of smaller(operation.pasid)) yield { ...operation, pasid };
      return;
    case 'guest.requestHandle': {
      const { ims, ...plain } = operation;
      if (ims !== undefined) yield plain;
      for (const vector of smaller(operation.vector)) yield { ...operation, vector };
      return;
    }
    case 'guest.releaseHandle':
      for (const operand of smaller(operation.operand)) yield { ...operation, operand };
      return;
    case 'guest.submit': {
      const { rci, ...plain } = operation;
      yield { ...operation, queue: 'dedicated', pasid: 0 };
      if (rci !== undefined) yield plain;
      for (const pasid of smaller(operation.pasid)) yield { ...operation, pasid };
      for (const handle of smaller(operation.handle)) yield { ...operation, handle };
      for (const descriptor of smaller(operation.descriptor)) yield { ...operation, descriptor };
      return;
    }
    case 'device.start':
    case 'device.complete':
      for (const descriptor of smaller(operation.descriptor)) yield { ...operation, descriptor };
      return;
    case 'device.armDescriptor':
      yield { kind: 'device.start', descriptor: operation.descriptor };
      yield { kind: 'device.complete', descriptor: operation.descriptor };
      for (const window of WINDOWS) yield { ...operation, window };
      for (const descriptor of smaller(operation.descriptor)) yield { ...operation, descriptor };
      return;
    case 'host.crash':
      yield { kind: 'vfio.close', device: 0 };
      for (const vm of smaller(operation.vm)) yield { ...operation, vm };
      return;
    case 'host.removeMdev':
      // One that is removed is closed and detached.
      yield { kind: 'vfio.close', device: operation.device };
      yield { kind: 'host.detach', device: operation.device };
      return;
    case 'host.createMdev':
    case 'host.attach':
    case 'host.detach':
      return;
  }
}

/** The mdev without a virtual IOMMU, of an earlier VM, or with fewer vectors. */
export function* simplerMdevs(pciFunction: PciFunction): Generator<PciFunction> {
  const { mdev, msixVectors } = pciFunction;
  if (mdev === undefined) return;
  if (mdev.viommu !== undefined) yield { ...pciFunction, mdev: { vm: mdev.vm } };
  for (const vm of smaller(mdev.vm)) yield { ...pciFunction, mdev: { ...mdev, vm } };
  for (const size of smaller(msixVectors)) if (size > 0) yield { ...pciFunction, msixVectors: size };
}

/** A smaller parent, and one that wants less. */
export function* simplerParents(parent: Parent): Generator<Parent> {
  const { entries, pasids, quota } = parent;
  if (parent.handles === 'requested') yield { ...parent, handles: 'index' };
  if (quota !== entries) yield { ...parent, quota: entries };
  for (const less of fewer(entries)) {
    yield { ...parent, entries: less, quota: quota === entries ? less : Math.min(quota, less) };
  }
  for (const less of fewer(pasids)) yield { ...parent, pasids: less };
  if (quota !== entries) for (const less of fewer(quota)) yield { ...parent, quota: less };
}

function fewer(number: number): number[] {
  return [...new Set([1, ...smaller(number)])].filter((less) => less > 0 && less < number);
}

/** The same machine with its VMs numbered as they come; where there are none, as it is. */
export function renumberVms({ config, operations }: Scenario): Scenario {
  const vms = [...new Set(config.devices.flatMap(({ mdev }) => mdev?.vm ?? []))];
  const numberOf = (vm: number): number => (vms.includes(vm) ? vms.indexOf(vm) : vm);
  return {
    config: {
      ...config,
      devices: config.devices.map((device) =>
        device.mdev === undefined ? device : { ...device, mdev: { ...device.mdev, vm: numberOf(device.mdev.vm) } },
      ),
    },
    operations: operations.map((operation) =>
      operation.kind === 'host.crash' ? { ...operation, vm: numberOf(operation.vm) } : operation,
    ),
  };
}
