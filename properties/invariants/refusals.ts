import {
  type Errno,
  isEventfdName,
  type Outcome,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioSetIrqs,
  type VmmCall,
} from '#vocabulary';
import { setsVectors } from './calls.ts';
import { flagsKey, type Memory } from './memory.ts';

const SHORTAGE: readonly Errno[] = ['ENOSPC', 'ENOMEM'];

/** A call that sets triggers of MSI-X vectors: the host granted it, had too few vectors, or found it wrong. */
export interface SetCall {
  readonly operation: VfioSetIrqs;
  readonly answer: 'granted' | 'shortage' | 'mistake';
}

const NO_CALLS: readonly SetCall[] = [];
const NONE: ReadonlySet<number> = new Set();

/** The calls among a VMM's that set triggers of MSI-X vectors. */
export function setCalls(calls: readonly VmmCall[]): readonly SetCall[] {
  if (calls.length === 0) return NO_CALLS;
  return calls.flatMap((call): SetCall[] => {
    if (call.kind !== 'vfio' || !setsVectors(call.operation)) return [];
    if (call.operation.index !== VFIO_PCI_MSIX_IRQ_INDEX) return [];
    return [{ operation: call.operation, answer: answerOf(call.outcome) }];
  });
}

function answerOf(outcome: Outcome): SetCall['answer'] {
  if (outcome.kind === 'ok') return 'granted';
  const isShort = outcome.kind === 'positive' || (outcome.kind === 'errno' && SHORTAGE.includes(outcome.errno));
  return isShort ? 'shortage' : 'mistake';
}

/** The vectors that a call gives a trigger. */
export function vectorsSet({ start, count, data }: VfioSetIrqs): readonly number[] {
  return data.slice(0, count).flatMap((element, place) => (isEventfdName(element) ? [start + place] : []));
}

/**
 * What the host has refused a VMM since its guest enabled MSI-X. A VMM cannot deliver what it has never been given, but
 * what it had and gave away to get more is its own loss.
 */
export class Refusals implements Memory<Refusals> {
  /** Whether any call that sets triggers was refused. A call that is wrong is only excused by a shortage before it. */
  some = false;
  readonly #refused = new Set<number>();
  #refusedBefore = NONE;
  readonly #onceArmed = new Set<number>();
  /** Whether MSI-X has been on at the host. */
  #onceOn = false;
  #neverGivenBefore = false;

  copy(): Refusals {
    const copy = new Refusals();
    copy.some = this.some;
    copy.#onceOn = this.#onceOn;
    for (const vector of this.#refused) copy.#refused.add(vector);
    for (const vector of this.#onceArmed) copy.#onceArmed.add(vector);
    return copy;
  }

  key(): string {
    return flagsKey(this.some, this.#onceOn);
  }

  /** Which vectors were ever armed counts when a call is refused. */
  keyOf(vector: number): string {
    return flagsKey(this.#refused.has(vector), this.#onceArmed.has(vector));
  }

  /** Whether the host has refused the vector, or MSI-X as a whole, and never had granted it. */
  excuses(vector: number): boolean {
    return this.#refused.has(vector) || this.#neverGiven();
  }

  /** The same before the operation. */
  excused(vector: number): boolean {
    return this.#refusedBefore.has(vector) || this.#neverGivenBefore;
  }

  /** The guest has enabled or disabled MSI-X. */
  begin(): void {
    this.some = false;
    this.#onceOn = false;
    this.#refused.clear();
    this.#onceArmed.clear();
  }

  /**
   * @param armed vectors seen armed after the operation
   * @param on whether MSI-X is on at the host after it
   */
  follow(calls: readonly VmmCall[], armed: readonly number[], on: boolean): void {
    this.#refusedBefore = this.#refused.size === 0 ? NONE : new Set(this.#refused);
    this.#neverGivenBefore = this.#neverGiven();
    for (const { operation, answer } of setCalls(calls)) {
      if (answer === 'granted') this.#onceOn = true;
      if (answer === 'shortage') this.some = true;
      for (const vector of vectorsSet(operation)) {
        if (answer === 'granted') this.#arm(vector);
        else if (this.some && !this.#onceArmed.has(vector)) this.#refused.add(vector);
      }
    }
    for (const vector of armed) this.#arm(vector);
    if (on) this.#onceOn = true;
  }

  #neverGiven(): boolean {
    return this.some && !this.#onceOn;
  }

  #arm(vector: number): void {
    this.#onceArmed.add(vector);
    this.#refused.delete(vector);
  }
}
