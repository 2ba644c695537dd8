import type { PciFunction } from '#vocabulary';
import { VectorSet } from '../vector-set.ts';

/** One PCI function: what the hardware holds. */
export interface FunctionState {
  readonly config: PciFunction;
  /** Bits of Command. */
  busMaster: boolean;
  intxDisable: boolean;
  /** Interrupt Status: whether the function wants its INTx pin asserted. */
  intxStatus: boolean;
  /** Whether its power state is D3hot; else it is D0. */
  inD3hot: boolean;
  readonly msi: MsiCapability;
  readonly msix: MsixCapability;
}

/** The MSI capability, without per-vector masking. */
export interface MsiCapability {
  enable: boolean;
  /** Whether the message address is not 0. */
  message: boolean;
  /** Vectors that software lets the function use (Multiple Message Enable), as a number of vectors. */
  enabledVectors: number;
}

/** The MSI-X capability, table and PBA. */
export interface MsixCapability {
  enable: boolean;
  functionMask: boolean;
  /** Vectors whose mask bit in the table is clear. */
  readonly unmasked: VectorSet;
  /** Vectors whose message address in the table is not 0. */
  readonly messages: VectorSet;
  /** Vectors whose bit in the PBA is set. */
  readonly pending: VectorSet;
}

/**
 * A function as a user of vfio finds it: everything off and masked, nothing pending, and bus mastering on, which such a
 * user turns on first.
 * Source: PCIe 6.0, 7.5.1.1.3, 7.7.1.2, 7.7.2.2 and 7.7.2.8 (state after reset).
 */
export function initialFunction(config: PciFunction, touched: VectorSet): FunctionState {
  return {
    config,
    busMaster: true,
    intxDisable: false,
    intxStatus: false,
    inD3hot: false,
    msi: { enable: false, message: false, enabledVectors: 0 },
    msix: {
      enable: false,
      functionMask: false,
      unmasked: new VectorSet(touched),
      messages: new VectorSet(touched),
      pending: new VectorSet(touched),
    },
  };
}
