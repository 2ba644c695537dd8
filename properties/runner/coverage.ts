import {
  type Config,
  isAskable,
  OPERATION_KINDS,
  type Operation,
  type OperationKind,
  type Outcome,
  type Platform,
  type Scenario,
  type Step,
  type Support,
  type Trace,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioReset,
  type VfioSetIrqs,
  WINDOWS,
  type Window,
} from '#vocabulary';
import { FollowedState } from './followed-state.ts';
import { classesOf, STATE_CLASSES, type StateClass } from './state-class.ts';
import type { ByKind, Counts, Coverage, WindowCounts } from './verdict.ts';

/** Of a system that was not tested. */
export const NO_COVERAGE: Coverage = {
  classes: [],
  transitions: {},
  outcomes: {},
  pairs: {},
  windows: {
    'teardown-gap': { armed: 0, opened: 0, met: 0 },
    'before-call': { armed: 0, opened: 0, met: 0 },
    'after-set': { armed: 0, opened: 0, met: 0 },
  },
};

const KINDS = OPERATION_KINDS.length;
const CLASSES = STATE_CLASSES.length;
const KIND_PLACES: ReadonlyMap<OperationKind, number> = new Map(OPERATION_KINDS.map((kind, place) => [kind, place]));
const CLASS_PLACES: ReadonlyMap<StateClass, number> = new Map(STATE_CLASSES.map((name, place) => [name, place]));

/** What was armed for a window and has not come yet: a descriptor, of which no event tells. */
interface Armed {
  readonly device: number;
  readonly window: Window;
}

/** What was counted, as one process tells it to another. */
export interface CoverageCounts {
  readonly transitions: Uint32Array;
  readonly pairs: Uint32Array;
  readonly ok: Uint32Array;
  readonly others: readonly ReadonlyMap<string, number>[];
  readonly windows: ReadonlyMap<Window, WindowCounts>;
}

/** Counts what the scenarios of a campaign try. One step costs a few table look-ups. */
export class CoverageTally {
  readonly #transitions = new Uint32Array(KINDS * CLASSES);
  readonly #pairs = new Uint32Array(KINDS * KINDS);
  readonly #ok = new Uint32Array(KINDS);
  /** By kind; what was `ok` is counted above. */
  readonly #others = OPERATION_KINDS.map(() => new Map<string, number>());
  readonly #windows = new Map(WINDOWS.map((window) => [window, { armed: 0, opened: 0, met: 0 }]));
  readonly #state = new FollowedState();
  /** Of the scenario at hand. */
  readonly #armed: Armed[] = [];

  /** @param trace of the reference */
  add(scenario: Scenario, trace: Trace): void {
    const { config, operations } = scenario;
    const state = this.#state;
    state.begin(config, trace);
    this.#armed.length = 0;
    let last = -1;
    for (let place = 0; place < trace.steps.length; place += 1) {
      const operation = operations[place] as Operation;
      const step = trace.steps[place] as Step;
      const kind = KIND_PLACES.get(operation.kind) as number;
      const transition = kind * CLASSES + (CLASS_PLACES.get(state.classFor(operation)) as number);
      this.#transitions[transition] = (this.#transitions[transition] as number) + 1;
      if (last !== -1) this.#pairs[last * KINDS + kind] = (this.#pairs[last * KINDS + kind] as number) + 1;
      last = kind;
      this.#countOutcome(kind, step.outcome);
      this.#countWindows(config, operation, step);
      state.follow(operation, step);
    }
  }

  #countOutcome(kind: number, outcome: Outcome): void {
    const name = outcomeName(outcome);
    if (name === 'ok') {
      this.#ok[kind] = (this.#ok[kind] as number) + 1;
      return;
    }
    const others = this.#others[kind];
    others?.set(name, (others.get(name) ?? 0) + 1);
  }

  #countWindows(config: Config, operation: Operation, { outcome, events, calls }: Step): void {
    const armed = this.#armed;
    if (operation.kind === 'device.arm' || operation.kind === 'device.armDescriptor') {
      this.#window(operation.window).armed += 1;
      if (operation.kind === 'device.armDescriptor') armed.push(operation);
      return;
    }
    const opened = calls === undefined ? openedByUser(config, operation, outcome) : openedByVmm(calls);
    if (opened !== NONE) {
      for (const window of WINDOWS) if (isAmong(window, opened)) this.#window(window).opened += 1;
      for (const event of events)
        if (event.kind === 'raised' && event.window !== null) this.#window(event.window).met += 1;
    }
    if (armed.length > 0 && 'device' in operation && operation.kind.startsWith('guest.'))
      this.#meet(operation.device, opened);
  }

  /** The next operation of the guest is what a descriptor is armed for, whatever that opens. */
  #meet(device: number, opened: number): void {
    const armed = this.#armed;
    for (let place = armed.length - 1; place >= 0; place -= 1) {
      const one = armed[place] as Armed;
      if (one.device !== device) continue;
      if (isAmong(one.window, opened)) this.#window(one.window).met += 1;
      armed.splice(place, 1);
    }
  }

  #window(window: Window): { -readonly [Name in keyof WindowCounts]: number } {
    return this.#windows.get(window) as { -readonly [Name in keyof WindowCounts]: number };
  }

  /** What was counted here, to be added elsewhere. */
  part(): CoverageCounts {
    return {
      transitions: this.#transitions,
      pairs: this.#pairs,
      ok: this.#ok,
      others: this.#others,
      windows: this.#windows,
    };
  }

  merge({ transitions, pairs, ok, others, windows }: CoverageCounts): void {
    addTo(this.#transitions, transitions);
    addTo(this.#pairs, pairs);
    addTo(this.#ok, ok);
    for (const [kind, counts] of others.entries())
      for (const [name, count] of counts) this.#others[kind]?.set(name, (this.#others[kind]?.get(name) ?? 0) + count);
    for (const [window, counts] of windows) this.#windows.set(window, addWindows(this.#window(window), counts));
  }

  /** What was counted, for what a system can be asked on a platform. */
  counts({ operations }: Pick<Support, 'operations'>, platform: Platform): Coverage {
    const kinds = OPERATION_KINDS.filter((kind) => operations.has(kind) && isAskable(platform, kind));
    const classes = classesOf(platform);
    const row = (place: number): number => KIND_PLACES.get(kinds[place] as OperationKind) as number;
    const each = <Row>(make: (kind: number) => Row): ByKind<Row> =>
      Object.fromEntries(kinds.map((kind, place) => [kind, make(row(place))]));
    return {
      classes,
      transitions: each((kind) =>
        counted(classes, (name) => this.#transitions[kind * CLASSES + (CLASS_PLACES.get(name) ?? 0)]),
      ),
      outcomes: each((kind) => ({
        ...counted(['ok'], () => this.#ok[kind]),
        ...Object.fromEntries(this.#others[kind] ?? []),
      })),
      pairs: each((kind) => counted(kinds, (name) => this.#pairs[kind * KINDS + (KIND_PLACES.get(name) ?? 0)])),
      windows: Object.fromEntries(
        [...this.#windows].map(([name, counts]) => [name, { ...counts }]),
      ) as Coverage['windows'],
    };
  }
}

function addTo(sums: Uint32Array, counts: Uint32Array): void {
  for (let place = 0; place < sums.length; place += 1)
    sums[place] = (sums[place] as number) + (counts[place] as number);
}

function counted<Name extends string>(names: readonly Name[], count: (name: Name) => number | undefined): Counts<Name> {
  const found: Partial<Record<Name, number>> = {};
  for (const name of names) {
    const times = count(name) ?? 0;
    if (times > 0) found[name] = times;
  }
  return found;
}

function outcomeName(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'ok':
    case 'irqInfo':
    case 'value':
      return 'ok';
    case 'errno':
      return outcome.errno;
    case 'status':
      return `status 0x${outcome.status.toString(16)}`;
    case 'positive':
    case 'unknown':
      return outcome.kind;
  }
}

/** Windows as bits, of which several may be open in a step. */
const BITS: Readonly<Record<Window, number>> = { 'teardown-gap': 1, 'before-call': 2, 'after-set': 4 };
const NONE = 0;

function isAmong(window: Window, windows: number): boolean {
  return (windows & BITS[window]) !== 0;
}

/** The window that the user of vfio leaves a device in; a mediated device has none. */
function openedByUser({ mdev }: Config, operation: Operation, outcome: Outcome): number {
  if (mdev !== undefined || operation.kind !== 'vfio.setIrqs' || outcome.kind !== 'ok') return NONE;
  return turnsOff(operation) ? BITS['teardown-gap'] : NONE;
}

/** The windows of a VMM's reaction. */
function openedByVmm(calls: NonNullable<Step['calls']>): number {
  let opened = NONE;
  for (const call of calls) {
    if (call.kind !== 'vfio') continue;
    opened |= BITS['before-call'];
    if (call.outcome.kind === 'ok' && turnsOff(call.operation)) opened |= BITS['teardown-gap'];
    if (setsTriggers(call.operation)) opened |= BITS['after-set'];
  }
  return opened;
}

function turnsOff(operation: VfioSetIrqs | VfioReset): boolean {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.count === 0 &&
    (operation.flags & VFIO_IRQ_SET_DATA_NONE) !== 0 &&
    (operation.index === VFIO_PCI_MSIX_IRQ_INDEX || operation.index === VFIO_PCI_MSI_IRQ_INDEX)
  );
}

function setsTriggers(operation: VfioSetIrqs | VfioReset): boolean {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
    (operation.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0
  );
}

/** Two coverages of one system and profile as one. */
export function addCoverage(left: Coverage, right: Coverage): Coverage {
  return {
    classes: left.classes.length > 0 ? left.classes : right.classes,
    transitions: addRows(left.transitions, right.transitions),
    outcomes: addRows(left.outcomes, right.outcomes),
    pairs: addRows(left.pairs, right.pairs),
    windows: {
      'teardown-gap': addWindows(left.windows['teardown-gap'], right.windows['teardown-gap']),
      'before-call': addWindows(left.windows['before-call'], right.windows['before-call']),
      'after-set': addWindows(left.windows['after-set'], right.windows['after-set']),
    },
  };
}

function addRows(left: ByKind<Counts>, right: ByKind<Counts>): ByKind<Counts> {
  const kinds = [...new Set([...Object.keys(left), ...Object.keys(right)])] as OperationKind[];
  return Object.fromEntries(kinds.map((kind) => [kind, addCounts(left[kind] ?? {}, right[kind] ?? {})]));
}

function addCounts(left: Counts, right: Counts): Counts {
  const sum: Record<string, number> = {};
  for (const [name, times = 0] of [...Object.entries(left), ...Object.entries(right)])
    sum[name] = (sum[name] ?? 0) + times;
  return sum;
}

function addWindows(left: WindowCounts, right: WindowCounts): WindowCounts {
  return { armed: left.armed + right.armed, opened: left.opened + right.opened, met: left.met + right.met };
}
