/** Bits of a vector's state. 0 is the state after reset. */
export const ALLOCATED = 1;
/** A trigger is set: an interrupt handler is registered for the vector. */
export const ARMED = 2;
/** The mask bit of the vector's table entry is clear. */
export const UNMASKED = 4;
/** The vector's bit in the PBA is set. */
export const PENDING = 8;

/** The entry is unmasked and its message address is 0: an event is written to bus address 0. */
export const ADDRESS_0 = 16;

/**
 * ALLOCATED: the vector owns a Linux irq. Together with ARMED, UNMASKED, PENDING and ADDRESS_0 all that is seen of a
 * vector. An MSI vector is only ever ALLOCATED and ARMED.
 */
export const VECTOR_STATE_MASK = ALLOCATED | ARMED | UNMASKED | PENDING | ADDRESS_0;

/** Bits of what is read of a function beside MSI-X. 0 for a function that has nothing else. */
export const MSI_ENABLE = 1;
/** The address of the physical MSI message is not 0. */
export const MSI_MESSAGE = 2;
/** Interrupt Disable of the physical Command register. */
export const INTX_DISABLE = 4;
/** Interrupt Status of the Status register: the function asserts INTx, as far as Interrupt Disable lets it. */
export const INTX_STATUS = 8;
/** vfio-pci has its INTx handler registered. */
export const INTX_HANDLER = 16;

export const REGISTERS_MASK = MSI_ENABLE | MSI_MESSAGE | INTX_DISABLE | INTX_STATUS | INTX_HANDLER;

/** A vector whose state is not what the observation before said. */
export interface VectorChange {
  readonly vector: number;
  /** ALLOCATED, ARMED, UNMASKED, PENDING and ADDRESS_0, added up. */
  readonly state: number;
}

/** What the guest of a VMM can read of one device without changing anything, beside messages. */
export interface GuestObservation {
  readonly enable: boolean;
  readonly functionMask: boolean;
  /**
   * By ascending vector, the state being UNMASKED and PENDING, as the guest reads table and PBA. Before the first
   * observation every vector has state 0.
   */
  readonly changes: readonly VectorChange[];
}

/** What can be read of one device without changing anything. */
export interface DeviceObservation {
  /** MSI-X Enable of the physical Message Control. */
  readonly enable: boolean;
  /** Function Mask of the physical Message Control. */
  readonly functionMask: boolean;
  /** VFIO_IRQ_INFO_* flags of the MSI-X index; 0 while the device is closed. */
  readonly msixInfoFlags: number;
  /** MSI_ENABLE, MSI_MESSAGE, INTX_DISABLE, INTX_STATUS and INTX_HANDLER, added up. */
  readonly registers: number;
  /** By ascending vector. Before the first observation every vector has state 0. */
  readonly changes: readonly VectorChange[];
  /** Left out where there is no VMM. */
  readonly guest?: GuestObservation;
}

/** One per device, in the order of the Config. */
export type Observation = readonly DeviceObservation[];
