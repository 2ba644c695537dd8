import type { EventfdName } from '#vocabulary';
import { MSIX_VECTORS_MAX, PENDING, UNMASKED, vmmEventfd } from '#vocabulary';
import type { Device } from './device.ts';
import { ADDRESS, DATA, GuestTable, HIGH } from './guest-table.ts';
import { VectorSet } from './vector-set.ts';

/**
 * How vectors come to have interrupts on the host. `legacy-0`, `legacy-1` and `dynamic` are QEMU's: before 8.2; since
 * then where the host reports NORESIZE; and where it does not. `all-at-enable` is ours, after Cloud Hypervisor.
 */
export type Strategy = 'legacy-0' | 'legacy-1' | 'dynamic' | 'all-at-enable';

const ROUTE_WORDS = 3;

/** A device as the VMM has it (VFIOPCIDevice and PCIDevice of QEMU), reused by one scenario after the other. */
export class Guest {
  readonly device: Device;
  strategy: Strategy = 'legacy-0';
  /** KVM delivers. */
  hasIrqfds = false;

  // What the guest sees.
  readonly table: GuestTable;
  enable = false;
  functionMask = false;
  /** msix_function_masked, which is worked out only when Message Control is written. */
  functionMasked = true;
  busMaster = true;
  /** Pending bits that the VMM keeps. */
  readonly #pba = new VectorSet();
  /** The guest reads #pba; else it reads the function's own. */
  #showsPba = false;

  // What the VMM has set up.
  intxUp = false;
  /** The vector notifiers are installed: MSI-X is set up, or nearly. */
  hasNotifiers = false;
  /** nr_vectors. */
  vectorCount = 0;
  /** Vectors with eventfds: those that msix_notify works for. */
  readonly used = new VectorSet();
  /** Vectors whose interrupt eventfd the main loop reads. */
  readonly handled = new VectorSet();
  /** Vectors with a route and an irqfd: of the irqfd eventfd, for `all-at-enable` of the interrupt eventfd. */
  readonly connected = new VectorSet();
  /** Vectors whose interrupt eventfd has a count. */
  readonly waiting = new VectorSet();
  /** VFIOMSIXInfo.pending: vectors that had an event while masked. */
  readonly pending = new VectorSet();
  /** The message KVM sends for a vector, as of the last update of its route. */
  readonly #routes = new Uint32Array(ROUTE_WORDS * MSIX_VECTORS_MAX);

  // These by vector, made when they are first used. A closed eventfd has its name again.
  readonly #interrupts: EventfdName[] = [];
  readonly #irqfds: EventfdName[] = [];
  readonly intxEventfd: EventfdName;
  readonly resampleEventfd: EventfdName;

  /** Vectors whose bits, as the guest reads them, may have changed since the last observation. */
  readonly #touched = new VectorSet();
  /** Vectors that have been touched since the scenario began. */
  readonly #everTouched = new VectorSet();
  /** The function's own pending bits at the last observation. */
  readonly #ownPending = new VectorSet();
  /** What showsPba said, and the vectors that were PENDING, at the last observation. */
  #reportedPba = false;
  readonly #reportedPending = new VectorSet();
  readonly #reported = new Uint8Array(MSIX_VECTORS_MAX);

  constructor(device: Device) {
    this.device = device;
    this.table = new GuestTable(device.place);
    this.intxEventfd = vmmEventfd(device.place, 'intx');
    this.resampleEventfd = vmmEventfd(device.place, 'resample');
  }

  /** Its guest has programmed every message, all masked. Undoes what the last scenario did, and nothing else. */
  restart(strategy: Strategy, hasIrqfds: boolean): void {
    this.strategy = strategy;
    this.hasIrqfds = hasIrqfds;
    this.table.restart();
    this.enable = false;
    this.functionMask = false;
    this.functionMasked = true;
    this.busMaster = true;
    this.#pba.clear();
    this.#showsPba = strategy === 'all-at-enable';
    this.intxUp = false;
    this.hasNotifiers = false;
    this.closeVectors();
    const touched = this.#everTouched;
    for (let vector = touched.next(0); vector !== -1; vector = touched.next(vector + 1)) this.#reported[vector] = 0;
    touched.clear();
    this.#touched.clear();
    this.#ownPending.clear();
    this.#reportedPba = this.#showsPba;
    this.#reportedPending.clear();
  }

  /** All eventfds of vectors are closed, with the counts in them. */
  closeVectors(): void {
    this.vectorCount = 0;
    this.used.clear();
    this.handled.clear();
    this.connected.clear();
    this.waiting.clear();
    this.pending.clear();
  }

  interruptEventfd(vector: number): EventfdName {
    return this.#interrupts[vector] ?? this.#name(this.#interrupts, 'interrupt', vector);
  }

  irqfdEventfd(vector: number): EventfdName {
    return this.#irqfds[vector] ?? this.#name(this.#irqfds, 'irqfd', vector);
  }

  #name(names: EventfdName[], role: 'interrupt' | 'irqfd', vector: number): EventfdName {
    const { place } = this.device;
    // An array with holes is slow once it is far from dense.
    for (let next = names.length; next <= vector; next += 1) names.push(vmmEventfd(place, role, next));
    return names[vector] as EventfdName;
  }

  /** The route of a vector gets the message that the table has now. */
  updateRoute(vector: number): void {
    const place = ROUTE_WORDS * vector;
    this.#routes[place] = this.table.read(vector, ADDRESS);
    this.#routes[place + 1] = this.table.read(vector, HIGH);
    this.#routes[place + 2] = this.table.read(vector, DATA);
  }

  /** A word of the route: ADDRESS, HIGH or DATA. */
  route(vector: number, word: number): number {
    return this.#routes[ROUTE_WORDS * vector + word] as number;
  }

  /** msix_is_masked. */
  isMasked(vector: number): boolean {
    return this.functionMasked || this.table.isMasked(vector);
  }

  writeTable(vector: number, word: number, value: number): void {
    this.table.write(vector, word, value);
    this.#touch(vector);
  }

  emptyTable(): void {
    const { unmasked } = this.table;
    for (let vector = unmasked.next(0); vector !== -1; vector = unmasked.next(vector + 1)) this.#touch(vector);
    this.table.empty();
  }

  isPending(vector: number): boolean {
    return this.#pba.has(vector);
  }

  setPending(vector: number): void {
    this.#pba.add(vector);
    this.#touch(vector);
  }

  clearPending(vector: number): void {
    this.#pba.delete(vector);
    this.#touch(vector);
  }

  clearAllPending(): void {
    this.#touchAll(this.#pba);
    this.#pba.clear();
  }

  /** The 32 pending bits among which the vector's is. */
  pbaWord(vector: number): number {
    return this.#pba.word(vector);
  }

  showsPba(): boolean {
    return this.#showsPba;
  }

  showPba(shows: boolean): void {
    this.#showsPba = shows;
  }

  /** UNMASKED and PENDING, as the guest reads them, added up. */
  state(vector: number): number {
    const isPending = this.#showsPba ? this.#pba.has(vector) : this.device.has(vector, PENDING);
    return (this.table.isMasked(vector) ? 0 : UNMASKED) | (isPending ? PENDING : 0);
  }

  /** Finds out what the function has done to its own pending bits. Before the device's changes are told. */
  lookAtDevice(): void {
    const { device } = this;
    for (let vector = device.nextTouched(0); vector !== -1; vector = device.nextTouched(vector + 1)) {
      if (device.has(vector, PENDING)) this.#ownPending.add(vector);
      else this.#ownPending.delete(vector);
      if (!this.#showsPba) this.#touch(vector);
    }
    if (this.#showsPba === this.#reportedPba) return;
    this.#reportedPba = this.#showsPba;
    this.#touchAll(this.#reportedPending);
    this.#touchAll(this.#showsPba ? this.#pba : this.#ownPending);
  }

  #touch(vector: number): void {
    this.#touched.add(vector);
    this.#everTouched.add(vector);
  }

  #touchAll(vectors: VectorSet): void {
    for (let vector = vectors.next(0); vector !== -1; vector = vectors.next(vector + 1)) this.#touch(vector);
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
      if ((state & PENDING) === 0) this.#reportedPending.delete(vector);
      else this.#reportedPending.add(vector);
      changed[count] = vector;
      count += 1;
    }
    this.#touched.clear();
    return count;
  }
}
