import {
  type Config,
  eventfdUse,
  firstMessage,
  isEventfdName,
  type PciFunction,
  type Platform,
  parseOperation,
  printOutcome,
  type Scenario,
  type Step,
  type Trace,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_INTX_IRQ_INDEX,
  type VfioSetIrqs,
  type VmmCall,
} from '#vocabulary';
import { type ProfileName, platformOf } from '../../model/profiles.ts';

/**
 * How a VMM comes by vectors. A: vector 0 first, grows by tear-down. B: none first, grows by tear-down, as NORESIZE is
 * set. C: none first, adds one by one. D: all at enable.
 */
export type Strategy = 'A' | 'B' | 'C' | 'D';

/** The profiles on which a strategy is seen, delivery left out. */
const PROFILES: Readonly<Record<Strategy, readonly ProfileName[]>> = {
  A: ['linux-6.1+qemu-7.2', 'linux-6.12+qemu-7.2'],
  B: ['linux-6.1+qemu-10.0', 'linux-6.12-static+qemu-10.0'],
  C: ['linux-6.12+qemu-10.0'],
  D: ['linux-6.1+all-at-enable', 'linux-6.12+all-at-enable'],
};

type Delivery = 'userspace' | 'irqfd';

/** What is expected of every strategy, or of each. */
type Expected = string | Readonly<Partial<Record<Strategy, string>>>;

/** A hand-written scenario at the guest with the reaction of its VMM to each operation. */
export interface GuestScript {
  /** Named by its number in our list of statements about QEMU, or by what it is about. */
  readonly id: string;
  readonly says: string;
  readonly strategies: readonly Strategy[];
  /** Said only of hosts that cannot add vectors. */
  readonly staticHost?: true;
  readonly delivery: Delivery;
  readonly device: PciFunction;
  /**
   * Operation, then the reaction as `reaction` tells it. An operation without an expectation sets the scene.
   */
  readonly lines: readonly (readonly [operation: string, expected?: Expected])[];
}

/** A script on one profile. */
export interface GuestCase {
  readonly script: GuestScript;
  readonly strategy: Strategy;
  readonly profile: ProfileName;
}

/** Every script on every profile that it speaks of. */
export function casesOf(scripts: readonly GuestScript[]): readonly GuestCase[] {
  return scripts.flatMap((script) =>
    script.strategies.flatMap((strategy) =>
      PROFILES[strategy]
        .filter((profile) => script.staticHost === undefined || !platformOf(profile).host.dynamicMsix)
        .map((profile): GuestCase => ({ script, strategy, profile: on(profile, script.delivery) })),
    ),
  );
}

function on(profile: ProfileName, delivery: Delivery): ProfileName {
  return delivery === 'irqfd' ? (`${profile}/irqfd` as ProfileName) : profile;
}

export function guestScenario({ script, profile }: GuestCase): Scenario {
  const platform: Platform = platformOf(profile);
  const config: Config = { ...platform, devices: [script.device] };
  return { config, operations: script.lines.map(([operation]) => parseOperation(operation)) };
}

/** What a script expects, line by line; a line that sets the scene is taken as it came. */
export function expectedReactions({ script, strategy }: GuestCase, trace: Trace): readonly string[] {
  return script.lines.map(([operation, expected], index) => {
    const said = typeof expected === 'string' ? expected : expected?.[strategy];
    return `${operation} -> ${said ?? reaction(trace.steps[index])}`;
  });
}

export function reactions({ script }: GuestCase, trace: Trace): readonly string[] {
  return script.lines.map(([operation], index) => `${operation} -> ${reaction(trace.steps[index])}`);
}

/**
 * One step in short: calls, then `!V` for each message that is still vector V's first one (`!DATA@ADDRESS` for any
 * other), then what was read.
 * Calls: `3[i3]` sets triggers from vector 3 on, `-` being none; `DIS` disables MSI-X; INTx has ISET, IDIS, IM (mask),
 * IU (unmask), IUE (unmask by eventfd); `RESET`; KVM has `ROUTES`, `+k0` and `-k0`. An answer other than success
 * follows: `DIS:EINVAL`.
 */
function reaction(step: Step | undefined): string {
  if (step === undefined) return 'no answer';
  const calls = (step.calls ?? []).map(shortCall);
  const messages = step.events.flatMap((event) => {
    if (event.kind !== 'message') return [];
    const vector = event.data - firstMessage(0, 0).data;
    const first = firstMessage(0, vector);
    const isFirst = first.address === event.address && event.high === 0;
    const name = isFirst ? `!${vector}` : `!${event.data}@${event.address}`;
    return [event.count === 1 ? name : `${name}x${event.count}`];
  });
  const read = step.outcome.kind === 'value' ? [`= ${step.outcome.value}`] : [];
  const refused = step.outcome.kind === 'errno' ? [step.outcome.errno] : [];
  return [...calls, ...messages, ...read, ...refused].join(' ');
}

function shortCall(call: VmmCall): string {
  switch (call.kind) {
    case 'vfio': {
      const { operation, outcome } = call;
      const answer = outcome.kind === 'ok' ? '' : `:${printOutcome(outcome).replace('returns ', '')}`;
      return `${operation.kind === 'vfio.reset' ? 'RESET' : shortSetIrqs(operation)}${answer}`;
    }
    case 'kvm.setGsiRouting':
      return 'ROUTES';
    case 'kvm.irqfd':
      return `${call.assign ? '+' : '-'}${shortName(call.eventfd)}`;
  }
}

function shortSetIrqs({ index, flags, start, data }: VfioSetIrqs): string {
  const byEventfd = (flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0;
  if (index === VFIO_PCI_INTX_IRQ_INDEX) return shortIntx(flags, byEventfd);
  if ((flags & VFIO_IRQ_SET_DATA_NONE) !== 0) return 'DIS';
  return `${start}[${data.map((element) => (isEventfdName(element) ? shortName(element) : '-')).join(' ')}]`;
}

/** The bits of an action, TRIGGER when it is neither of the others. */
function shortIntx(flags: number, byEventfd: boolean): string {
  if ((flags & VFIO_IRQ_SET_ACTION_MASK) !== 0) return 'IM';
  if ((flags & VFIO_IRQ_SET_ACTION_UNMASK) !== 0) return byEventfd ? 'IUE' : 'IU';
  return byEventfd ? 'ISET' : 'IDIS';
}

function shortName(name: Parameters<typeof eventfdUse>[0]): string {
  const { role, vector } = eventfdUse(name);
  switch (role) {
    case 'interrupt':
      return `i${vector}`;
    case 'irqfd':
      return `k${vector}`;
    case 'intx':
      return 'intx';
    case 'resample':
      return 'resample';
  }
}
