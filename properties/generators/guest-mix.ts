import type { DeviceArm, DeviceRaise, GuestOperation, HostFailAllocation, HostLimitVectors } from '#vocabulary';

/** What can be asked of a machine with a VMM. */
export type Asked = GuestOperation | DeviceRaise | DeviceArm | HostLimitVectors | HostFailAllocation;

/** What a guest does in one go, with its device and its host. One alone of these operations shows little. */
export type Gesture =
  /** Unmasks vectors that it did not have before. */
  | 'grow'
  /** Turns MSI-X on over entries that are unmasked already, with holes. */
  | 'batch'
  /** Sets Function Mask, has entries unmasked and events, and clears it. */
  | 'functionMask'
  /** Masks a vector that then has events, and unmasks it. */
  | 'maskedEvent'
  /** Masks and unmasks vectors. */
  | 'flicker'
  /** Gives a vector another message. */
  | 'rewrite'
  /** Turns MSI-X off and on. */
  | 'restart'
  /** Turns bus master off and on. */
  | 'busMaster'
  /** Resets the device and programs it again. */
  | 'reset'
  /** Something that makes the VMM react, while the device is armed. */
  | 'armed';

/** What the host has to do with it. */
export type HostGesture =
  /** Has only few vectors left. */
  | 'limit'
  /** Fails to give one. */
  | 'failure';

/** Weights, relative within each table; 0 is never. */
export interface GuestMix {
  readonly kinds: Readonly<Record<GuestOperation['kind'] | 'device.raise' | 'device.arm', number>>;
  readonly gestures: Readonly<Record<Gesture, number>>;
  /** Percent of operations that begin a gesture, when none is going on. */
  readonly gesturePercent: number;
}

const EVERYDAY_KINDS = {
  'guest.msixControl': 4,
  'guest.configWrite': 2,
  'guest.mask': 6,
  'guest.unmask': 10,
  'guest.tableWrite': 5,
  'guest.tableRead': 3,
  'guest.readPba': 2,
  'guest.busMaster': 1,
  'guest.reset': 2,
  'device.raise': 16,
  'device.arm': 3,
} satisfies GuestMix['kinds'];

const EVERYDAY_GESTURES = {
  grow: 6,
  batch: 2,
  functionMask: 2,
  maskedEvent: 4,
  flicker: 2,
  rewrite: 3,
  restart: 2,
  busMaster: 1,
  reset: 1,
  armed: 8,
} satisfies GuestMix['gestures'];

/** What guests do, and what each kind of fault needs to show. */
export const GUEST_MIXES = {
  everyday: { kinds: EVERYDAY_KINDS, gestures: EVERYDAY_GESTURES, gesturePercent: 50 },
  /** More and more vectors, and how they come to have interrupts. */
  growth: {
    kinds: { ...EVERYDAY_KINDS, 'guest.unmask': 16, 'guest.msixControl': 1, 'guest.tableWrite': 1 },
    gestures: { ...EVERYDAY_GESTURES, grow: 12, rewrite: 1, armed: 16 },
    gesturePercent: 50,
  },
  /** Events at each moment of a reaction. */
  windows: {
    kinds: { ...EVERYDAY_KINDS, 'device.arm': 12, 'device.raise': 10 },
    gestures: { ...EVERYDAY_GESTURES, armed: 32, grow: 8, restart: 4 },
    gesturePercent: 70,
  },
  /** Events that have to wait. */
  masking: {
    kinds: { ...EVERYDAY_KINDS, 'guest.mask': 12, 'guest.readPba': 6, 'device.raise': 20 },
    gestures: { ...EVERYDAY_GESTURES, maskedEvent: 14, flicker: 6, functionMask: 6 },
    gesturePercent: 50,
  },
  /** On and off, and all over again. */
  lifecycle: {
    kinds: { ...EVERYDAY_KINDS, 'guest.msixControl': 10, 'guest.busMaster': 4, 'guest.reset': 3 },
    gestures: { ...EVERYDAY_GESTURES, restart: 10, busMaster: 6, reset: 8, batch: 8, armed: 12 },
    gesturePercent: 50,
  },
  /** All widths and places, and bits that mean nothing. */
  accesses: {
    kinds: {
      ...EVERYDAY_KINDS,
      'guest.configWrite': 10,
      'guest.tableWrite': 20,
      'guest.tableRead': 8,
      'guest.readPba': 4,
    },
    gestures: { ...EVERYDAY_GESTURES, rewrite: 8 },
    gesturePercent: 30,
  },
} satisfies Record<string, GuestMix>;

export type GuestMixName = keyof typeof GUEST_MIXES;

export const GUEST_MIX_NAMES = Object.keys(GUEST_MIXES) as GuestMixName[];
