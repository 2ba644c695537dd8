import type { Parent, PciFunction } from '#vocabulary';

function mdev(vm: number, msixVectors: number): PciFunction {
  return { msixVectors, whileOff: 'drops', reset: true, mdev: { vm, viommu: true } };
}

/** The least on which one VM can harm another: two mdevs, and hardly more entries than one of them wants. */
export const TWO_VMS: { readonly parent: Parent; readonly devices: readonly PciFunction[] } = {
  parent: { entries: 2, pasids: 8, quota: 2, handles: 'index' },
  devices: [mdev(0, 12), mdev(1, 2)],
};
