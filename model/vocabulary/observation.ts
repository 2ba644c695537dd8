/** Bits of a vector's state. 0 is the state after reset. */
export const ALLOCATED = 1;
/** A trigger is set: an interrupt handler is registered for the vector. */
export const ARMED = 2;
/** The mask bit of the vector's table entry is clear. */
export const UNMASKED = 4;
/** The vector's bit in the PBA is set. */
export const PENDING = 8;

/** ALLOCATED: the vector owns a Linux irq. Together with ARMED, UNMASKED and PENDING all that is seen of a vector. */
export const VECTOR_STATE_MASK = ALLOCATED | ARMED | UNMASKED | PENDING;

/** A vector whose state is not what the observation before said. */
export interface VectorChange {
  readonly vector: number;
  /** ALLOCATED, ARMED, UNMASKED and PENDING, added up. */
  readonly state: number;
}

/** What can be read of one device without changing anything. */
export interface DeviceObservation {
  /** MSI-X Enable of the physical Message Control. */
  readonly enable: boolean;
  /** Function Mask of the physical Message Control. */
  readonly functionMask: boolean;
  /** VFIO_IRQ_INFO_* flags of the MSI-X index; 0 while the device is closed. */
  readonly msixInfoFlags: number;
  /** By ascending vector. Before the first observation every vector has state 0. */
  readonly changes: readonly VectorChange[];
}

/** One per device, in the order of the Config. */
export type Observation = readonly DeviceObservation[];
