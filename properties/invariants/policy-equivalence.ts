import { UNMASKED } from '#vocabulary';
import { VectorMap } from './by-vector.ts';
import { vectorsOf } from './guest-events.ts';
import type { GuestMoment, GuestView } from './guest-moment.ts';
import { type Breach, type GuestWatch, type Invariant, KEPT } from './invariant.ts';
import { flags, type Memory, remembering, type Words } from './memory.ts';
import { type Claim, NO_MESSAGES, settle } from './received.ts';
import { isShort } from './refusals.ts';
import { messageInWords } from './spurious-message.ts';

/** The guest cannot tell how its VMM comes by interrupts. */
export const policyEquivalence: Invariant = {
  id: 'policy-equivalence',
  promise:
    'However a VMM allocates interrupts, as long as the host refuses nothing and no event falls into a window, its ' +
    'guest receives the messages that a function with the table of the guest would send, and reads what it wrote.',
  source: 'PCIe 6.0, 6.1.4 and 7.7.2',
  startGuest: (): GuestWatch =>
    remembering(
      () => new BareFunction(),
      (moment: GuestMoment, functions): readonly Breach[] => {
        let wrong = NOTHING;
        for (const view of moment.devices) {
          const differences = functions.of(view.place).differences(moment, view);
          const misreadings = misread(moment, view);
          if (differences.length + misreadings.length > 0) wrong = [...wrong, ...differences, ...misreadings];
        }
        if (wrong.length === 0) return KEPT;
        return wrong.map((message) => ({ step: moment.index, causes: [moment.index], message }));
      },
    ),
};

const NOTHING: readonly string[] = [];

/**
 * The function that a guest believes it has: pending bits and masks, nothing below them. `must`: a pending event that
 * becomes a message when its vector opens. `may`: one that a function, or bus mastering that was off, may have eaten.
 */
export class BareFunction implements Memory<BareFunction> {
  readonly pending = new VectorMap<'must' | 'may'>();
  /** Whether something has happened after which policies may differ. */
  different = false;

  become(other: BareFunction): void {
    this.different = other.different;
    this.pending.become(other.pending);
  }

  tell(words: Words): void {
    words.put(flags(this.different));
  }

  tellVector(vector: number, words: Words): void {
    const pending = this.different ? undefined : this.pending.get(vector);
    words.put(flags(pending !== undefined, pending === 'must'));
  }

  differences({ operation, device }: GuestMoment, view: GuestView): readonly string[] {
    if (this.different) return NOTHING;
    if (isShort(view.setCalls) || view.raises.some(({ window }) => window !== null)) {
      this.different = true;
      return NOTHING;
    }
    if (!view.gates.enable && view.gatesBefore.enable) this.#disable();
    // A function without a reset of its own keeps its pending bits.
    if (device === view && operation.kind === 'guest.reset' && view.config.reset === true) this.pending.clear();
    if (this.pending.isEmpty && view.raises.length === 0 && view.received.length === 0) return NOTHING;
    const vectors = vectorsOf(this.pending, view.raises);
    const claims = vectors.map((vector) => this.#claim(view, vector));
    const { unmet, unexplained } = settle(claims, view.received);
    for (const vector of vectors) this.#follow(view, vector);
    if (unmet.length + unexplained.length === 0) return NOTHING;
    return [
      ...unmet.map((vector) => `a bare function would have sent ${messageOf(view, vector)}, and none came`),
      ...unexplained.map((message) => `${messageInWords(view, message)} came, and a bare function would not send it`),
    ];
  }

  #disable(): void {
    for (let vector = this.pending.next(0); vector !== -1; vector = this.pending.next(vector + 1))
      this.pending.set(vector, 'may');
  }

  #claim(view: GuestView, vector: number): Claim {
    if (!view.isOpen(vector)) return { vector, messages: NO_MESSAGES, most: 0, least: 0 };
    const messages = view.messages(vector);
    const { busMaster } = view.gates;
    const pending = this.pending.get(vector);
    const raised = busMaster ? raisesOf(view, vector) : 0;
    const owed = busMaster && (pending === 'must' || raised > 0);
    return { vector, messages, most: Number(pending !== undefined) + raised, least: owed ? 1 : 0 };
  }

  #follow(view: GuestView, vector: number): void {
    const { gates, config } = view;
    if (view.isOpen(vector)) this.pending.delete(vector);
    else if (raisesOf(view, vector) === 0) return;
    else if (gates.enable && gates.busMaster) this.pending.set(vector, 'must');
    else if (gates.enable || config.whileOff === 'latches') this.pending.set(vector, this.pending.get(vector) ?? 'may');
  }
}

function raisesOf({ raises }: GuestView, at: number): number {
  let count = 0;
  for (const { vector } of raises) if (vector === at) count += 1;
  return count;
}

function messageOf(view: GuestView, vector: number): string {
  const [message] = view.messages(vector);
  return message === undefined ? `vector ${vector}` : `the ${messageInWords(view, message)}`;
}

/** What the guest reads that it has not written. */
function misread({ operation, step, device }: GuestMoment, view: GuestView): readonly string[] {
  const { seen, gates, touched, unmasked } = view;
  const wrong: string[] = [];
  if (device === view && operation.kind === 'guest.tableRead' && operation.vector < view.config.msixVectors) {
    const written = view.written(operation.vector, operation.offset);
    const read = step.outcome.kind === 'value' ? step.outcome.value : 'nothing';
    if (written !== read) wrong.push(`the guest wrote ${written} and reads ${read}`);
  }
  if (seen === undefined) return wrong;
  if (seen.enable !== gates.enable) wrong.push(`the guest wrote Enable ${gates.enable} and reads ${seen.enable}`);
  if (seen.functionMask !== gates.functionMask)
    wrong.push(`the guest wrote Function Mask ${gates.functionMask} and reads ${seen.functionMask}`);
  for (const vector of touched) {
    const reads = (view.guestState(vector) & UNMASKED) !== 0;
    if (reads !== unmasked.has(vector))
      wrong.push(`the guest ${reads ? 'masked' : 'unmasked'} vector ${vector} and reads it otherwise`);
  }
  return wrong;
}
