import type { PciFunction, Window } from '#vocabulary';
import { ALLOCATED, ARMED, MSIX_VECTORS_MAX, PENDING, UNMASKED } from '#vocabulary';
import { VectorSet } from './vector-set.ts';

/** No eventfd: no slot is negative. */
export const NO_TRIGGER = -1;

/** One function and its vfio_pci_core_device, reused by one scenario after the other. */
export class Device {
  /** Its place in the Config. */
  readonly place: number;
  msixVectors = 0;
  latchesWhileOff = false;
  /** The answer of VFIO_DEVICE_GET_IRQ_INFO for MSI-X. */
  readonly msixInfo = { kind: 'irqInfo' as const, flags: 0, count: 0 };

  /** Open device descriptors. */
  openCount = 0;
  /** irq_type is VFIO_PCI_MSIX_IRQ_INDEX; the physical MSI-X Enable is the same bit. */
  enabled = false;
  /** num_ctx: vectors allocated when MSI-X was turned on. Means something while it is on. */
  contextCount = 0;
  readonly allocated = new VectorSet();
  requestSlot = NO_TRIGGER;
  requestGeneration = 0;

  readonly armedVectors: number[] = [];
  readonly armedWindows: Window[] = [];
  armedCount = 0;

  /** Vectors set since the last observation. */
  readonly #touched = new VectorSet();
  /** Vectors set since the scenario began. */
  readonly #used = new VectorSet();
  /** These by vector. A trigger's slot and generation mean something while the vector is ARMED. */
  readonly #states = new Uint8Array(MSIX_VECTORS_MAX);
  readonly #reported = new Uint8Array(MSIX_VECTORS_MAX);
  readonly #slots = new Int32Array(MSIX_VECTORS_MAX);
  readonly #generations = new Int32Array(MSIX_VECTORS_MAX);

  constructor(place: number) {
    this.place = place;
  }

  /** Open once, MSI-X off, nothing pending. Undoes what the last scenario did, and nothing else. */
  reset(pciFunction: PciFunction, msixInfoFlags: number): void {
    for (let vector = this.#used.next(0); vector !== -1; vector = this.#used.next(vector + 1)) {
      this.#states[vector] = 0;
      this.#reported[vector] = 0;
    }
    this.#used.clear();
    this.allocated.clear();
    this.msixVectors = pciFunction.msixVectors;
    this.latchesWhileOff = pciFunction.whileOff === 'latches';
    this.msixInfo.flags = msixInfoFlags;
    this.msixInfo.count = pciFunction.msixVectors;
    this.openCount = 1;
    this.enabled = false;
    this.requestSlot = NO_TRIGGER;
    this.armedCount = 0;
  }

  isAllocated(vector: number): boolean {
    return (this.state(vector) & ALLOCATED) !== 0;
  }

  isArmed(vector: number): boolean {
    return (this.state(vector) & ARMED) !== 0;
  }

  isUnmasked(vector: number): boolean {
    return (this.state(vector) & UNMASKED) !== 0;
  }

  isPending(vector: number): boolean {
    return (this.state(vector) & PENDING) !== 0;
  }

  /** ALLOCATED, ARMED, UNMASKED and PENDING, added up. */
  state(vector: number): number {
    return this.#states[vector] as number;
  }

  set(vector: number, bits: number): void {
    this.#states[vector] = this.state(vector) | bits;
    this.#touched.add(vector);
    this.#used.add(vector);
  }

  clear(vector: number, bits: number): void {
    this.#states[vector] = this.state(vector) & ~bits;
    this.#touched.add(vector);
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

  /** The next vector from `from` on whose state differs from the last one reported, or -1. It counts as reported. */
  nextChange(from: number): number {
    for (let vector = this.#touched.next(from); vector !== -1; vector = this.#touched.next(vector + 1)) {
      const state = this.state(vector);
      if (state === this.#reported[vector]) continue;
      this.#reported[vector] = state;
      return vector;
    }
    this.#touched.clear();
    return -1;
  }
}
