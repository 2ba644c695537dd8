import type { PciFunction } from '#vocabulary';

/** The functions of the scripts. The machines of the real kernels have these: see DEVICES in impl/linux/vm.ts. */
export const LATCHES: PciFunction = { msixVectors: 10, whileOff: 'latches' };
export const DROPS: PciFunction = { msixVectors: 10, whileOff: 'drops' };

export const EDU: PciFunction = { msixVectors: 0, whileOff: 'latches', msiVectors: 1, intx: true };

export const NVME: PciFunction = {
  msixVectors: 65,
  whileOff: 'latches',
  intx: true,
  express: true,
  reset: true,
  powerManagement: true,
  silent: true,
};

export const XHCI: PciFunction = {
  msixVectors: 0,
  whileOff: 'latches',
  msiVectors: 16,
  intx: true,
  express: true,
  silent: true,
};
