import type { EventfdName, Operation, Scenario, Step, Trace, Window } from '#vocabulary';
import {
  firstMessage,
  isEventfdName,
  PENDING,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';
import type { JudgedViolation } from '../properties/runner/verdict.ts';

/**
 * Where an interrupt ended. `delivered`: at its eventfd or guest, by operation `at`. `pending`: in the pending bits, to
 * the end. `lost`: a promise was owed and is broken, by the `clause` that explains it if one does. `unheard`: nobody
 * had asked for it, or who had has given it up.
 */
export type Fate =
  | { readonly kind: 'delivered'; readonly at: number }
  | { readonly kind: 'pending' }
  | { readonly kind: 'lost'; readonly at: number; readonly clause: string | null }
  | { readonly kind: 'unheard'; readonly at: number };

/** An interrupt that a device raised, followed to its end. */
export interface Raise {
  readonly step: number;
  readonly device: number;
  readonly vector: number;
  readonly window: Window | null;
  readonly fate: Fate;
}

/** What says that an interrupt was lost and not merely unheard. */
export interface Owed {
  readonly violations: readonly JudgedViolation[];
  /** The raises of the reference, which had some delivered that the subject had not. */
  readonly reference: readonly Raise[];
}

/** Every raise of a trace with its end. */
export function raisesOf({ operations }: Scenario, trace: Trace, { violations, reference }: Owed): readonly Raise[] {
  const eventfds = new Map<string, EventfdName>();
  const raises: Raise[] = [];
  let waiting: Raise[] = [];
  for (const [index, step] of trace.steps.entries()) {
    noteTriggers(operations[index], step, eventfds);
    const raised = step.events.flatMap((event) =>
      event.kind === 'raised' ? [{ ...event, step: index, fate: { kind: 'pending' } as Fate }] : [],
    );
    const still: Raise[] = [];
    for (const { step: raisedAt, device, vector, window } of [...waiting, ...raised]) {
      const raise = { step: raisedAt, device, vector, window };
      const isPending = (pendingBits(trace, index).get(`${device}.${vector}`) ?? 0) !== 0;
      const at = index;
      if (isPending) still.push({ ...raise, fate: { kind: 'pending' } });
      else if (isDelivered(raise, step, eventfds)) raises.push({ ...raise, fate: { kind: 'delivered', at } });
      else raises.push({ ...raise, fate: endOf(raise, at, violations, reference) });
    }
    waiting = still;
  }
  return [...raises, ...waiting].sort((left, right) => left.step - right.step);
}

function endOf(
  raise: Omit<Raise, 'fate'>,
  at: number,
  violations: Owed['violations'],
  others: Owed['reference'],
): Fate {
  const told = violations.find(
    ({ invariant, causes }) =>
      invariant === 'no-lost-interrupt' && (causes.includes(raise.step) || causes.includes(at)),
  );
  if (told !== undefined) return { kind: 'lost', at, clause: told.expectedBy };
  const other = others.find(({ step, device, vector }) => {
    return step === raise.step && device === raise.device && vector === raise.vector;
  });
  const isMissed = other !== undefined && other.fate.kind !== 'unheard';
  return isMissed ? { kind: 'lost', at, clause: null } : { kind: 'unheard', at };
}

/** Which eventfd each vector triggers, as the calls of the user say. */
function noteTriggers(operation: Operation | undefined, { outcome }: Step, eventfds: Map<string, EventfdName>): void {
  if (operation?.kind !== 'vfio.setIrqs' || outcome.kind !== 'ok') return;
  const { device, index, flags, start, data } = operation;
  const isMessage = index === VFIO_PCI_MSI_IRQ_INDEX || index === VFIO_PCI_MSIX_IRQ_INDEX;
  if (!isMessage || flags !== (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)) return;
  for (const [place, element] of data.entries()) {
    if (isEventfdName(element)) eventfds.set(`${device}.${start + place}`, element);
  }
}

function isDelivered(
  { device, vector }: Pick<Raise, 'device' | 'vector'>,
  { events }: Step,
  eventfds: ReadonlyMap<string, EventfdName>,
): boolean {
  const message = firstMessage(device, vector);
  const messages = events.filter((event) => event.kind === 'message' && event.device === device);
  // A guest may have given the vector another message: then it is whatever came.
  if (messages.length > 0)
    return messages.length === 1 || messages.some((event) => event.kind === 'message' && event.data === message.data);
  const eventfd = eventfds.get(`${device}.${vector}`);
  return events.some((event) => event.kind === 'signalled' && event.eventfd === eventfd);
}

/** The vectors that are pending after a step, on the host or for the guest. */
function pendingBits({ initial, steps }: Trace, index: number): ReadonlyMap<string, number> {
  const bits = new Map<string, number>();
  for (const observation of [initial, ...steps.slice(0, index + 1).map((step) => step.observation)]) {
    for (const [device, { changes, guest }] of observation.entries()) {
      for (const { vector, state } of changes) setBit(bits, `${device}.${vector}`, 1, (state & PENDING) !== 0);
      for (const { vector, state } of guest?.changes ?? [])
        setBit(bits, `${device}.${vector}`, 2, (state & PENDING) !== 0);
    }
  }
  return bits;
}

function setBit(bits: Map<string, number>, key: string, bit: number, isSet: boolean): void {
  const before = bits.get(key) ?? 0;
  bits.set(key, isSet ? before | bit : before & ~bit);
}

/** What is added to the words of a raise at its place; nothing where it was delivered at once. */
export function fateWords({ step, fate }: Raise): string {
  switch (fate.kind) {
    case 'delivered':
      return fate.at === step ? '' : `: pending, delivered by operation ${fate.at}`;
    case 'pending':
      return ': pending';
    case 'lost':
      return fate.at === step ? ': lost' : `: pending, lost by operation ${fate.at}`;
    case 'unheard':
      return fate.at === step ? '' : `: pending, given up by operation ${fate.at}`;
  }
}
