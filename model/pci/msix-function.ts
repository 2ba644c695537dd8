import type { PciFunction } from '#vocabulary';
import { VectorSet } from '../vector-set.ts';

/** The MSI-X capability, table and PBA of one function: what the hardware holds. */
export interface MsixFunction {
  readonly config: PciFunction;
  /** MSI-X Enable of Message Control. */
  enable: boolean;
  /** Function Mask of Message Control. */
  functionMask: boolean;
  /** Vectors whose mask bit in the table is clear. */
  readonly unmasked: VectorSet;
  /** Vectors whose bit in the PBA is set. */
  readonly pending: VectorSet;
}

/**
 * A function after reset: off, all entries masked, nothing pending.
 * Source: PCIe 6.0, 7.7.2.2 and 7.7.2.8 (mask bit 1 after reset).
 */
export function resetMsixFunction(config: PciFunction, touched: Set<number>): MsixFunction {
  return {
    config,
    enable: false,
    functionMask: false,
    unmasked: new VectorSet(touched),
    pending: new VectorSet(touched),
  };
}
