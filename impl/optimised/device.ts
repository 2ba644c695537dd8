import type { PciFunction, Window } from '#vocabulary';
import * as vocabulary from '#vocabulary';
import { VectorSet } from './vector-set.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  MSIX_VECTORS_MAX,
  PENDING,
  REGISTERS_MASK,
  UNMASKED,
  VFIO_PCI_ERR_IRQ_INDEX,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
} = vocabulary;

/** VFIO_PCI_NUM_IRQS, which as an irq_type says that none is set up. */
export const NUM_IRQS = 5;
/** No eventfd: no slot is negative. */
export const NO_SLOT = -1;

// Bits of a vector that no observation shows. ADDRESS_0 is not among a vector's bits: it is worked out.
/** The message address in the table is not 0. */
export const MESSAGE = 32;
/** The kernel's own copy of the message has an address. */
export const COMPOSED = 64;
/** IRQS_PENDING: a message has come that no handler has seen. */
export const REPLAY = 128;
const SEEN = ALLOCATED | ARMED | UNMASKED | PENDING;

/** An eventfd_ctx that vfio-pci holds on to; it may have been closed by the user. */
export class Trigger {
  slot = NO_SLOT;
  generation = 0;

  isSet(): boolean {
    return this.slot !== NO_SLOT;
  }

  set(slot: number, generation: number): void {
    this.slot = slot;
    this.generation = generation;
  }

  clear(): void {
    this.slot = NO_SLOT;
  }
}

/** One function and its vfio_pci_core_device, reused by one scenario after the other. */
export class Device {
  /** Its place in the Config. */
  readonly place: number;
  msixVectors = 0;
  msiVectors = 0;
  latchesWhileOff = false;
  hasIntx = false;
  hasReset = false;
  hasPowerManagement = false;
  isSilent = false;
  /** vfio_pci_get_irq_count by index. */
  readonly irqCounts = new Uint16Array(NUM_IRQS);
  /** What VFIO_DEVICE_GET_IRQ_INFO says of MSI-X. */
  msixInfoFlags = 0;

  // The function.
  /** MSI_ENABLE, MSI_MESSAGE, INTX_DISABLE, INTX_STATUS and INTX_HANDLER, added up. */
  registers = 0;
  /** Those of `registers` that are looked at. */
  #seenMask = 0;
  /** Physical MSI-X Enable. */
  msixEnable = false;
  /** Multiple Message Enable, as a number of vectors. */
  msiMessages = 0;
  busMaster = true;
  inD3hot = false;

  // The vfio_pci_core_device.
  /** Open device descriptors. */
  openCount = 0;
  /** Mappings of BAR 0. */
  mappings = 0;
  /** The index that is set up, or NUM_IRQS. */
  irqType = NUM_IRQS;
  /** num_ctx: vectors allocated when MSI-X or MSI was turned on. Means something while it is on. */
  contextCount = 0;
  readonly allocated = new VectorSet();
  /** virq_disabled: the Interrupt Disable that the user sees. */
  virtualIntxDisable = false;
  virtualMemory = true;
  /** The MSI Enable that the user sees. */
  virtualMsiEnable = false;
  /** Means something while INTx is set up. */
  intxMasked = false;
  readonly intxTrigger = new Trigger();
  /** The eventfd that unmasks INTx. */
  unmaskSlot = NO_SLOT;
  readonly errTrigger = new Trigger();
  readonly reqTrigger = new Trigger();

  readonly armedVectors: number[] = [];
  readonly armedWindows: Window[] = [];
  armedCount = 0;

  /** Vectors whose bits have changed since the last observation. */
  readonly #touched = new VectorSet();
  /** Vectors that have had bits since the scenario began. */
  readonly #used = new VectorSet();
  /** These by vector. A trigger's slot and generation mean something while the vector is ARMED. */
  readonly #bits = new Uint8Array(MSIX_VECTORS_MAX);
  readonly #reported = new Uint8Array(MSIX_VECTORS_MAX);
  readonly #slots = new Int32Array(MSIX_VECTORS_MAX);
  readonly #generations = new Int32Array(MSIX_VECTORS_MAX);

  constructor(place: number) {
    this.place = place;
  }

  /** Open once, nothing set up, nothing pending. Undoes what the last scenario did, and nothing else. */
  reset(pciFunction: PciFunction): void {
    for (let vector = this.#used.next(0); vector !== -1; vector = this.#used.next(vector + 1)) {
      this.#bits[vector] = 0;
      this.#reported[vector] = 0;
    }
    this.#used.clear();
    this.#touched.clear();
    this.allocated.clear();
    this.#describe(pciFunction);
    this.registers = 0;
    this.msixEnable = false;
    this.busMaster = true;
    this.inD3hot = false;
    this.openCount = 1;
    this.mappings = 0;
    this.irqType = NUM_IRQS;
    this.virtualIntxDisable = false;
    this.virtualMemory = true;
    this.virtualMsiEnable = false;
    this.intxTrigger.clear();
    this.unmaskSlot = NO_SLOT;
    this.errTrigger.clear();
    this.reqTrigger.clear();
    this.armedCount = 0;
  }

  #describe(pciFunction: PciFunction): void {
    this.msixVectors = pciFunction.msixVectors;
    this.msiVectors = pciFunction.msiVectors ?? 0;
    this.latchesWhileOff = pciFunction.whileOff === 'latches';
    this.hasIntx = pciFunction.intx === true;
    this.hasReset = pciFunction.reset === true;
    this.hasPowerManagement = pciFunction.powerManagement === true;
    this.isSilent = pciFunction.silent === true;
    this.irqCounts[VFIO_PCI_INTX_IRQ_INDEX] = this.hasIntx ? 1 : 0;
    this.irqCounts[VFIO_PCI_MSI_IRQ_INDEX] = this.msiVectors;
    this.irqCounts[VFIO_PCI_MSIX_IRQ_INDEX] = this.msixVectors;
    this.irqCounts[VFIO_PCI_ERR_IRQ_INDEX] = pciFunction.express === true ? 1 : 0;
    this.irqCounts[VFIO_PCI_REQ_IRQ_INDEX] = 1;
    this.#seenMask = this.hasIntx || this.msiVectors > 0 ? REGISTERS_MASK : 0;
  }

  seenRegisters(): number {
    return this.registers & this.#seenMask;
  }

  isAllocated(vector: number): boolean {
    return this.has(vector, ALLOCATED);
  }

  isArmed(vector: number): boolean {
    return this.has(vector, ARMED);
  }

  has(vector: number, bit: number): boolean {
    return ((this.#bits[vector] as number) & bit) !== 0;
  }

  /** ALLOCATED, ARMED, UNMASKED, PENDING and ADDRESS_0, added up. */
  state(vector: number): number {
    const bits = this.#bits[vector] as number;
    const address0 = (bits & (UNMASKED | MESSAGE)) === UNMASKED ? ADDRESS_0 : 0;
    return (bits & SEEN) | address0;
  }

  set(vector: number, bits: number): void {
    const before = this.#bits[vector] as number;
    this.#bits[vector] = before | bits;
    this.#touched.add(vector);
    if (before === 0) this.#used.add(vector);
  }

  clear(vector: number, bits: number): void {
    this.#bits[vector] = (this.#bits[vector] as number) & ~bits;
    this.#touched.add(vector);
  }

  /** Clears the bits of every vector. */
  clearAll(bits: number): void {
    for (let vector = this.#used.next(0); vector !== -1; vector = this.#used.next(vector + 1)) this.clear(vector, bits);
  }

  slot(vector: number): number {
    return this.#slots[vector] as number;
  }

  generation(vector: number): number {
    return this.#generations[vector] as number;
  }

  setTrigger(vector: number, slot: number, generation: number): void {
    this.#slots[vector] = slot;
    this.#generations[vector] = generation;
  }

  arm(vector: number, window: Window): void {
    this.armedVectors[this.armedCount] = vector;
    this.armedWindows[this.armedCount] = window;
    this.armedCount += 1;
  }

  /** The next vector from `from` on whose bits may have changed since the last observation, or -1. */
  nextTouched(from: number): number {
    return this.#touched.next(from);
  }

  /**
   * The vectors whose state differs from the last one reported. They count as reported.
   * @returns how many there are, at the beginning of `changed`
   */
  takeChanges(changed: Uint16Array): number {
    if (this.#touched.isEmpty()) return 0;
    let count = 0;
    for (let vector = this.#touched.next(0); vector !== -1; vector = this.#touched.next(vector + 1)) {
      const state = this.state(vector);
      if (state === this.#reported[vector]) continue;
      this.#reported[vector] = state;
      changed[count] = vector;
      count += 1;
    }
    this.#touched.clear();
    return count;
  }
}
