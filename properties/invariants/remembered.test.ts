import { describe, expect, it } from 'vitest';
import { type HostPasid, IMS_MASK, type ImsEntry, type Message, type PciFunction } from '#vocabulary';
import { wordsTold } from '../../model/words.fixture.ts';
import { FollowedDevice } from './followed-device.ts';
import { type Arm, FollowedGuest } from './followed-guest.ts';
import {
  type FollowedArm,
  type FollowedDescriptor,
  type FollowedMdev,
  type FollowedParent,
  mdevOf,
  tellParent,
  unseenParent,
} from './followed-parent.ts';
import { GuestEvents, type Held } from './guest-events.ts';
import type { GuestRaise } from './guest-moment.ts';
import { type Entry, type Gates, GuestTable } from './guest-table.ts';
import { hasMdevs } from './mdev-moment.ts';
import type { Memory } from './memory.ts';
import type { Choices, Registers, SingleTriggers } from './moment.ts';
import { Debts, type Gone } from './no-lost-interrupt.ts';
import { BareFunction } from './policy-equivalence.ts';
import { Refusals } from './refusals.ts';
import { twoVms } from './tampered.fixture.ts';
import { Granted } from './vmm-layers.ts';
import { Taken } from './vmm-leaks.ts';

/** Why nothing is told of a field. */
type Because =
  | 'never changes'
  | 'is of one step'
  | 'has a table of its own'
  | 'follows from the rest'
  | 'is only put into words';

/** What is in every field: a change of whoever has it, or why nothing is told of it. A new field does not compile. */
type Changes<Part, Owner> = { readonly [Field in keyof Fields<Part>]-?: ((owner: Owner) => void) | Because };
type Fields<Part> = {
  [Field in keyof Part as Part[Field] extends (...given: never[]) => unknown ? never : Field]: Part[Field];
};

type Case<Owner> = readonly [name: string, change: (owner: Owner) => void];

function cases<Owner>(
  name: string,
  table: Readonly<Record<string, ((owner: Owner) => void) | Because>>,
): readonly Case<Owner>[] {
  return Object.entries(table).flatMap(([field, change]) =>
    typeof change === 'string' ? [] : [[`${name}.${field}`, change] as const],
  );
}

const DEVICE: PciFunction = { msixVectors: 3, msiVectors: 3, whileOff: 'latches', intx: true, reset: true };
const VECTORS = [0, 1, 2];

/** An operation is told by its index here, where another one has the clauses that it spoke. */
function toldOf<Item extends Memory<Item>>(item: Item): readonly number[] {
  const label = (index: number): number => index + 0x100;
  return wordsTold((words) => {
    item.tell(words, label);
    for (const vector of VECTORS) item.tellVector(vector, words, label);
  });
}

/** A test for each change. */
function remembers<Item extends Memory<Item>>(name: string, make: () => Item, changes: readonly Case<Item>[]): void {
  describe(`what is remembered in a ${name}`, () => {
    const savedOf = (item: Item): Item => {
      const saved = make();
      saved.become(item);
      return saved;
    };

    it.each(changes)('is told, and put back as often as one likes: %s', (_, change) => {
      const item = make();
      const [saved, told] = [savedOf(item), toldOf(item)];
      change(item);
      const [savedChanged, toldChanged] = [savedOf(item), toldOf(item)];
      expect(toldChanged).not.toEqual(told);
      item.become(saved);
      expect(toldOf(item)).toEqual(told);
      change(item);
      expect(toldOf(item)).toEqual(toldChanged);
      item.become(saved);
      expect(toldOf(item)).toEqual(told);
      item.become(savedChanged);
      expect(toldOf(item)).toEqual(toldChanged);
    });

    it('is told otherwise after each change', () => {
      const told = [
        toldOf(make()),
        ...changes.map(([, change]) => {
          const item = make();
          change(item);
          return toldOf(item);
        }),
      ];
      expect(new Set(told.map((words) => words.join())).size).toBe(changes.length + 1);
    });

    it('is in no field that a table cannot name', () => {
      expect(String(make().constructor)).not.toMatch(/^\s*#\w+( =.*)?;$/m);
    });
  });
}

/** On MSI, which is told of more than MSI-X. */
function device(): FollowedDevice {
  const made = new FollowedDevice(DEVICE, undefined);
  made.after = { ...made.after, open: true, held: true, type: 'msi' };
  return made;
}

/** Changes parts of what a field holds. */
function within<Owner, Key extends keyof Owner>(field: Key): (change: Partial<Owner[Key]>) => (owner: Owner) => void {
  return (change) => (owner) => {
    owner[field] = { ...owner[field], ...change };
  };
}

const registers = within<FollowedDevice, 'after'>('after');
const choices = within<FollowedDevice, 'choices'>('choices');
const singles = within<FollowedDevice, 'singles'>('singles');

const OF_DEVICE: Changes<FollowedDevice, FollowedDevice> = {
  config: 'never changes',
  before: 'is of one step',
  after: 'has a table of its own',
  choicesBefore: 'is of one step',
  choices: 'has a table of its own',
  transitions: 'is of one step',
  raised: 'is of one step',
  singlesBefore: 'is of one step',
  singles: 'has a table of its own',
  wiped: ({ wiped }) => wiped.add(1),
  unsure: ({ unsure }) => unsure.add(1),
  pendingBefore: 'is of one step',
  waiting: 'is of one step',
  mappings: (followed) => {
    followed.mappings += 1;
  },
  onceArmed: ({ onceArmed }) => onceArmed.add(1),
  nowWaiting: ({ nowWaiting }) => nowWaiting.add(1),
  pending: 'follows from the rest',
  statesNow: ({ statesNow }) => statesNow.set(1, 3),
  triggers: ({ triggers }) => triggers.set(1, 'e7'),
};

const OF_REGISTERS: Changes<Registers, FollowedDevice> = {
  open: registers({ open: false }),
  held: registers({ held: false }),
  type: registers({ type: 'msix' }),
  enable: registers({ enable: true }),
  functionMask: registers({ functionMask: true }),
  infoFlags: registers({ infoFlags: 9 }),
  registers: registers({ registers: 1 }),
  allocated: 'follows from the rest',
  armed: 'follows from the rest',
};

const OF_CHOICES: Changes<Choices, FollowedDevice> = {
  busMaster: choices({ busMaster: false }),
  inD3hot: choices({ inD3hot: true }),
  msiOff: choices({ msiOff: true }),
  oneMessage: choices({ oneMessage: true }),
  intxDisable: choices({ intxDisable: true }),
};

const OF_SINGLES: Changes<SingleTriggers, FollowedDevice> = {
  intx: singles({ intx: 'e1' }),
  unmask: singles({ unmask: 'e1' }),
  err: singles({ err: 'unseen' }),
  req: singles({ req: 'e12' }),
};

remembers('FollowedDevice', device, [
  ...cases('device', OF_DEVICE),
  ...cases('registers', OF_REGISTERS),
  ...cases('choices', OF_CHOICES),
  ...cases('singles', OF_SINGLES),
]);

const OF_DEBTS: Changes<Debts, Debts> = {
  wanted: ({ wanted }) => wanted.add(1),
  gone: 'has a table of its own',
  turnedOffAt: (debts) => {
    debts.turnedOffAt = 4;
  },
};

const OF_GONE: Changes<Gone, Debts> = {
  turnedOffAt: ({ gone }) => gone.set(1, { turnedOffAt: 4, raisedAt: 2 }),
  raisedAt: ({ gone }) => gone.set(1, { turnedOffAt: 1, raisedAt: 3 }),
};

function debts(): Debts {
  const made = new Debts();
  made.gone.set(1, { turnedOffAt: 1, raisedAt: 2 });
  return made;
}

remembers('Debts', debts, [
  ...cases('debts', OF_DEBTS),
  ...cases('gone', OF_GONE),
  ['settled', ({ gone }) => gone.delete(1)],
  ['another', ({ gone }) => gone.set(2, { turnedOffAt: 1, raisedAt: 2 })],
  ['never turned off', ({ gone }) => gone.set(1, { turnedOffAt: null, raisedAt: 2 })],
]);

const OF_GUEST: Changes<FollowedGuest, FollowedGuest> = {
  config: 'never changes',
  place: 'never changes',
  seen: 'is of one step',
  touched: 'is of one step',
  hostOn: (guest) => {
    guest.hostOn = true;
  },
  hostOffSince: (guest) => {
    guest.hostOffSince = 3;
  },
  hostOffBefore: 'is of one step',
  changed: 'is of one step',
  raises: 'is of one step',
  received: 'is of one step',
  calls: 'is of one step',
  setCalls: 'is of one step',
  settled: 'is of one step',
  account: ({ account: { held } }) => held.set(1, HELD),
  table: ({ table: { unmasked } }) => unmasked.add(1),
  refusals: ({ refusals: { refused } }) => refused.add(1),
  arms: 'has a table of its own',
  states: ({ states }) => states.set(1, 3),
  guestStates: ({ guestStates }) => guestStates.set(1, 3),
  gatesBefore: 'is of one step',
  gates: 'follows from the rest',
  unmasked: 'follows from the rest',
  anyRefused: 'follows from the rest',
};

const ARMED: Arm = { vector: 1, window: 'teardown-gap', index: 2 };

function arms(...given: readonly Arm[]): (owner: FollowedGuest) => void {
  return (owner) => {
    owner.arms = given;
  };
}

const OF_ARMS: Changes<Arm, FollowedGuest> = {
  vector: arms({ ...ARMED, vector: 2 }),
  window: arms({ ...ARMED, window: 'after-set' }),
  index: arms({ ...ARMED, index: 3 }),
};

function guest(): FollowedGuest {
  const made = new FollowedGuest(DEVICE, 0, undefined);
  made.arms = [ARMED];
  return made;
}

remembers('FollowedGuest', guest, [
  ...cases('guest', OF_GUEST),
  ...cases('arm', OF_ARMS),
  ['disarmed', arms()],
  ['armed twice', arms(ARMED, ARMED)],
  [
    'enabled',
    ({ table }) => {
      table.gates = { ...table.gates, enable: true };
    },
  ],
  [
    'refused',
    ({ refusals }) => {
      refusals.some = true;
    },
  ],
]);

const WRITTEN: Entry = { address: 1, high: 2, data: 3, control: 0 };
const EARLIER: Message = { address: 4, high: 5, data: 6 };

/** With a vector that is open, whose entry was rewritten. */
function table(): GuestTable {
  const made = new GuestTable(DEVICE, 0);
  made.gates = { enable: true, functionMask: false, busMaster: true };
  made.unmasked.add(1);
  made.entries.set(1, WRITTEN);
  made.earlier.set(1, [EARLIER]);
  return made;
}

const gates = within<GuestTable, 'gates'>('gates');

const OF_TABLE: Changes<GuestTable, GuestTable> = {
  gatesBefore: 'is of one step',
  gates: 'has a table of its own',
  unmasked: ({ unmasked }) => unmasked.add(2),
  maskWrites: 'is of one step',
  config: 'never changes',
  place: 'never changes',
  entries: 'has a table of its own',
  earlier: 'has a table of its own',
  wasReset: (owner) => {
    owner.wasReset = true;
  },
};

const OF_GATES: Changes<Gates, GuestTable> = {
  enable: gates({ enable: false }),
  functionMask: gates({ functionMask: true }),
  busMaster: gates({ busMaster: false }),
};

const OF_ENTRY: Changes<Entry, GuestTable> = {
  address: ({ entries }) => entries.set(1, { ...WRITTEN, address: 7 }),
  high: ({ entries }) => entries.set(1, { ...WRITTEN, high: 7 }),
  data: ({ entries }) => entries.set(1, { ...WRITTEN, data: 7 }),
  control: ({ entries }) => entries.set(1, { ...WRITTEN, control: 2 }),
};

const OF_EARLIER: Changes<Message, GuestTable> = {
  address: ({ earlier }) => earlier.set(1, [{ ...EARLIER, address: 7 }]),
  high: ({ earlier }) => earlier.set(1, [{ ...EARLIER, high: 7 }]),
  data: ({ earlier }) => earlier.set(1, [{ ...EARLIER, data: 7 }]),
};

remembers('GuestTable', table, [
  ...cases('table', OF_TABLE),
  ...cases('gates', OF_GATES),
  ...cases('entry', OF_ENTRY),
  ...cases('earlier', OF_EARLIER),
  ['closed', ({ earlier }) => earlier.delete(1)],
  ['rewritten again', ({ earlier }) => earlier.set(1, [EARLIER, EARLIER])],
]);

const OF_REFUSALS: Changes<Refusals, Refusals> = {
  some: (refusals) => {
    refusals.some = true;
  },
  refused: ({ refused }) => refused.add(1),
  refusedBefore: 'is of one step',
  onceArmed: ({ onceArmed }) => onceArmed.add(1),
  onceOn: (refusals) => {
    refusals.onceOn = true;
  },
  neverGivenBefore: 'is of one step',
};

remembers('Refusals', () => new Refusals(), cases('refusals', OF_REFUSALS));

const RAISE: GuestRaise = { vector: 1, window: null, raisedAt: 2, armedAt: null };
const HELD: Held = { owed: [RAISE], inDevice: false, inVmm: false, hostOffSince: null };

function events(): GuestEvents {
  const made = new GuestEvents();
  made.held.set(1, HELD);
  return made;
}

const OF_EVENTS: Changes<GuestEvents, GuestEvents> = { held: 'has a table of its own' };

const OF_HELD: Changes<Held, GuestEvents> = {
  owed: ({ held }) => held.set(1, { ...HELD, owed: [RAISE, RAISE] }),
  inDevice: ({ held }) => held.set(1, { ...HELD, inDevice: true }),
  inVmm: ({ held }) => held.set(1, { ...HELD, inVmm: true }),
  hostOffSince: ({ held }) => held.set(1, { ...HELD, hostOffSince: 3 }),
};

const OF_RAISE: Changes<GuestRaise, GuestEvents> = {
  vector: 'follows from the rest',
  window: 'is only put into words',
  raisedAt: ({ held }) => held.set(1, { ...HELD, owed: [{ ...RAISE, raisedAt: 3 }] }),
  armedAt: ({ held }) => held.set(1, { ...HELD, owed: [{ ...RAISE, armedAt: 3 }] }),
};

remembers('GuestEvents', events, [
  ...cases('events', OF_EVENTS),
  ...cases('held', OF_HELD),
  ...cases('raise', OF_RAISE),
  ['told', ({ held }) => held.delete(1)],
]);

const OF_FUNCTION: Changes<BareFunction, BareFunction> = {
  pending: ({ pending }) => pending.set(1, 'may'),
  different: (bare) => {
    bare.different = true;
  },
};

remembers('BareFunction', () => new BareFunction(), [
  ...cases('function', OF_FUNCTION),
  ['must', ({ pending }) => pending.set(1, 'must')],
]);

const OF_GRANTED: Changes<Granted, Granted> = {
  on: (granted) => {
    granted.on = true;
  },
  armed: ({ armed }) => armed.set(1, true),
};

remembers('Granted', () => new Granted(), [
  ...cases('granted', OF_GRANTED),
  ['unknown', ({ armed }) => armed.set(1, 'unknown')],
]);

const OF_TAKEN: Changes<Taken, Taken> = {
  isLimited: (taken) => {
    taken.isLimited = true;
  },
  irqfds: ({ irqfds }) => irqfds.add('e1'),
  allocated: ({ allocated }) => allocated.add(1),
  releasedTwice: 'is of one step',
  place: 'never changes',
};

remembers('Taken', () => new Taken(), cases('taken', OF_TAKEN));

const ENTRY: ImsEntry = { entry: 1, control: IMS_MASK, data: 7, device: 0, vector: 1, handle: false };
const PASID: HostPasid = { pasid: 2, state: 'active', vm: 0, guest: 1, references: 1 };
const DESCRIPTOR: FollowedDescriptor = {
  ...{ descriptor: 3, phase: 'queued', device: 0, pasid: 2, entry: -1, submittedAt: 1, startedAt: 1 },
  asked: { queue: 'dedicated', pasid: 0, handle: 1 },
};
const ARM: FollowedArm = { device: 0, descriptor: 3 };

/** An entry, a PASID, a descriptor and an event in a window. */
function parent(): FollowedParent {
  const { config } = twoVms([]);
  if (!hasMdevs(config)) throw new Error('there are no mdevs');
  return { ...unseenParent(config), entries: [ENTRY], pasids: [PASID], descriptors: [DESCRIPTOR], arms: [ARM] };
}

function entry(change: Partial<ImsEntry>): (owner: FollowedParent) => void {
  return (owner) => {
    owner.entries = [{ ...ENTRY, ...change }];
  };
}

function pasid(change: Partial<HostPasid>): (owner: FollowedParent) => void {
  return (owner) => {
    owner.pasids = [{ ...PASID, ...change }];
  };
}

function descriptor(change: Partial<FollowedDescriptor>): (owner: FollowedParent) => void {
  return (owner) => {
    owner.descriptors = [{ ...DESCRIPTOR, ...change }];
  };
}

function asked(change: Partial<FollowedDescriptor['asked']>): (owner: FollowedParent) => void {
  return descriptor({ asked: { ...DESCRIPTOR.asked, ...change } });
}

function arm(change: Partial<FollowedArm>): (owner: FollowedParent) => void {
  return (owner) => {
    owner.arms = [{ ...ARM, ...change }];
  };
}

function mdev(change: Partial<FollowedMdev>): (owner: FollowedParent) => void {
  return (owner) => {
    owner.mdevs = [{ ...mdevOf(owner, 0), ...change }, mdevOf(owner, 1)];
  };
}

const OF_PARENT: Changes<FollowedParent, FollowedParent> = {
  entries: 'has a table of its own',
  pasids: 'has a table of its own',
  mdevs: 'has a table of its own',
  descriptors: 'has a table of its own',
  arms: 'has a table of its own',
  allocationMayFail: (owner) => {
    owner.allocationMayFail = true;
  },
  entriesAt: 'is only put into words',
  pasidsAt: 'is only put into words',
};

const OF_IMS_ENTRY: Changes<ImsEntry, FollowedParent> = {
  entry: entry({ entry: 2 }),
  control: entry({ control: 0 }),
  data: entry({ data: 8 }),
  device: entry({ device: 1 }),
  vector: entry({ vector: 2 }),
  handle: entry({ handle: true }),
};

const OF_PASID: Changes<HostPasid, FollowedParent> = {
  pasid: pasid({ pasid: 3 }),
  state: pasid({ state: 'free-pending' }),
  vm: pasid({ vm: 1 }),
  guest: pasid({ guest: 2 }),
  references: pasid({ references: 2 }),
};

const OF_DESCRIPTOR: Changes<FollowedDescriptor, FollowedParent> = {
  descriptor: descriptor({ descriptor: 4 }),
  phase: descriptor({ phase: 'started' }),
  device: descriptor({ device: 1 }),
  pasid: descriptor({ pasid: 3 }),
  entry: descriptor({ entry: 1 }),
  asked: 'has a table of its own',
  submittedAt: 'is only put into words',
  startedAt: 'is only put into words',
};

const OF_ASKED: Changes<FollowedDescriptor['asked'], FollowedParent> = {
  queue: asked({ queue: 'shared' }),
  pasid: asked({ pasid: 2 }),
  handle: asked({ handle: 2 }),
  rci: asked({ rci: false }),
};

const OF_ARM: Changes<FollowedArm, FollowedParent> = {
  device: arm({ device: 1 }),
  descriptor: arm({ descriptor: 4 }),
};

const OF_MDEV: Changes<FollowedMdev, FollowedParent> = {
  life: mdev({ life: 'open' }),
  fds: mdev({ fds: 1 }),
  defaultPasid: mdev({ defaultPasid: 1 }),
  enable: mdev({ enable: true }),
  infoFlags: mdev({ infoFlags: 9 }),
  states: mdev({ states: [0, 1] }),
  perms: mdev({ perms: [0, 1] }),
  written: mdev({ written: [0, 1] }),
  triggers: mdev({ triggers: [0, 1] }),
  backing: 'follows from the rest',
  sampled: mdev({ sampled: [0, 1] }),
  sampledPerms: mdev({ sampledPerms: [0, 1] }),
  told: mdev({ told: [0, 1] }),
  live: mdev({ live: [0, 1] }),
  at: 'is only put into words',
};

describe('what is followed of a parent', () => {
  const changes = [
    ...cases('parent', OF_PARENT),
    ...cases('entry', OF_IMS_ENTRY),
    ...cases('pasid', OF_PASID),
    ...cases('descriptor', OF_DESCRIPTOR),
    ...cases('asked', OF_ASKED),
    ...cases('arm', OF_ARM),
    ...cases('mdev', OF_MDEV),
  ];
  const toldOfParent = (owner: FollowedParent): readonly number[] => wordsTold((words) => tellParent(owner, words));

  it('is told otherwise after each change', () => {
    const told = changes.map(([name, change]) => {
      const owner = parent();
      change(owner);
      return [name, JSON.stringify(toldOfParent(owner))] as const;
    });
    expect(new Set([JSON.stringify(toldOfParent(parent())), ...told.map(([, words]) => words)]).size).toBe(
      told.length + 1,
    );
  });
});
