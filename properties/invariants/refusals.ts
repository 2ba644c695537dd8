import {
  type Errno,
  isEventfdName,
  type Outcome,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioSetIrqs,
  type VmmCall,
} from '#vocabulary';
import { VectorSet } from './by-vector.ts';
import { setsVectors } from './calls.ts';
import { flags, type Memory, type Words } from './memory.ts';

const SHORTAGE: readonly Errno[] = ['ENOSPC', 'ENOMEM'];

/** A call that sets triggers of MSI-X vectors: the host granted it, had too few vectors, or found it wrong. */
export interface SetCall {
  readonly operation: VfioSetIrqs;
  readonly answer: 'granted' | 'shortage' | 'mistake';
}

const NO_CALLS: readonly SetCall[] = [];

/** The calls among a VMM's that set triggers of MSI-X vectors. */
export function setCalls(calls: readonly VmmCall[]): readonly SetCall[] {
  let found = NO_CALLS;
  for (const call of calls) {
    if (call.kind !== 'vfio' || !setsVectors(call.operation)) continue;
    if (call.operation.index !== VFIO_PCI_MSIX_IRQ_INDEX) continue;
    found = [...found, { operation: call.operation, answer: answerOf(call.outcome) }];
  }
  return found;
}

function answerOf(outcome: Outcome): SetCall['answer'] {
  if (outcome.kind === 'ok') return 'granted';
  const isShort = outcome.kind === 'positive' || (outcome.kind === 'errno' && SHORTAGE.includes(outcome.errno));
  return isShort ? 'shortage' : 'mistake';
}

/** Whether the host had too few vectors for one of the calls. */
export function isShort(calls: readonly SetCall[]): boolean {
  for (const { answer } of calls) if (answer === 'shortage') return true;
  return false;
}

/**
 * What the host has refused a VMM since its guest enabled MSI-X. A VMM cannot deliver what it has never been given, but
 * what it had and gave away to get more is its own loss.
 */
export class Refusals implements Memory<Refusals> {
  /** Whether any call that sets triggers was refused. A call that is wrong is only excused by a shortage before it. */
  some = false;
  readonly refused = new VectorSet();
  readonly refusedBefore = new VectorSet();
  readonly onceArmed = new VectorSet();
  /** Whether MSI-X has been on at the host. */
  onceOn = false;
  neverGivenBefore = false;

  become(other: Refusals): void {
    this.some = other.some;
    this.onceOn = other.onceOn;
    this.refused.become(other.refused);
    this.onceArmed.become(other.onceArmed);
  }

  tell(words: Words): void {
    words.put(flags(this.some, this.onceOn));
  }

  /** Which vectors were ever armed counts when a call is refused. */
  tellVector(vector: number, words: Words): void {
    words.put(flags(this.refused.has(vector), this.onceArmed.has(vector)));
  }

  /** Whether the host has refused the vector, or MSI-X as a whole, and never had granted it. */
  excuses(vector: number): boolean {
    return this.refused.has(vector) || this.#neverGiven();
  }

  /** The same before the operation. */
  excused(vector: number): boolean {
    return this.refusedBefore.has(vector) || this.neverGivenBefore;
  }

  /** The guest has enabled or disabled MSI-X. */
  begin(): void {
    this.some = false;
    this.onceOn = false;
    this.refused.clear();
    this.onceArmed.clear();
  }

  /** @param on whether MSI-X is on at the host after the operation */
  follow(calls: readonly SetCall[], on: boolean): void {
    this.refusedBefore.become(this.refused);
    this.neverGivenBefore = this.#neverGiven();
    for (const call of calls) this.#followCall(call);
    if (on) this.onceOn = true;
  }

  #followCall({ operation: { start, count, data }, answer }: SetCall): void {
    if (answer === 'granted') this.onceOn = true;
    if (answer === 'shortage') this.some = true;
    for (let place = 0; place < count && place < data.length; place += 1) {
      if (!isEventfdName(data[place])) continue;
      if (answer === 'granted') this.arm(start + place);
      else if (this.some && !this.onceArmed.has(start + place)) this.refused.add(start + place);
    }
  }

  /** A vector was seen armed. */
  arm(vector: number): void {
    this.onceArmed.add(vector);
    this.refused.delete(vector);
  }

  #neverGiven(): boolean {
    return this.some && !this.onceOn;
  }
}
