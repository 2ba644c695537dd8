import type { MdevOperation, RawOperation } from '#vocabulary';

/** What mdevs are asked in single operations; a guest's accesses to what its VMM shows it are drawn elsewhere. */
export type MdevKind =
  | Extract<
      RawOperation['kind'],
      | 'vfio.open'
      | 'vfio.close'
      | 'vfio.getIrqInfo'
      | 'vfio.setIrqs'
      | 'vfio.reset'
      | 'vfio.writeEventfd'
      | 'vfio.closeEventfd'
      | 'device.raise'
      | 'host.failAllocation'
    >
  | 'guest.mask'
  | 'guest.unmask'
  | MdevOperation['kind'];

/** What a guest, its VMM and its neighbours do that shows something only as a whole. */
export type MdevGesture =
  /** As the contract has it: bind, MSIX_PERM, enable, request a handle, submit, begin, end. */
  | 'use'
  /** A descriptor of a vector that is in use already. */
  | 'event'
  /** Something happens to a vector while a descriptor is between submission, check and interrupt. */
  | 'crossing'
  /** A vector loses its entry to the mdev of another VM, with something left in it. */
  | 'takeover'
  /** A descriptor names the entry of another VM. */
  | 'guess'
  /** MSIX_PERM after the vector is in use. */
  | 'latePerm'
  /** MSIX_PERM before the PASID is bound. */
  | 'earlyPerm'
  /** A PASID is given back while a vector carries it, and somebody else gets it. */
  | 'freeLive'
  /** A vector gets a trigger again, with or without losing it in between. */
  | 'again'
  /** Events of a masked vector. */
  | 'masked'
  /** Completions that make no interrupt, and who comes after them. */
  | 'ignore'
  /** Handles requested and released. */
  | 'handles'
  /** A vector comes to another entry than the one its guest knows. */
  | 'revoke'
  /** A reset, and what is left. */
  | 'reset'
  /** Mdevs come, go and move, and VMMs die. */
  | 'lifecycle'
  /** More vectors than there are entries. */
  | 'exhaust'
  /** More PASIDs than there are, in two VMs. */
  | 'pasids'
  /** The host fails to give an interrupt. */
  | 'failure'
  /** The vector that the driver itself has. */
  | 'vectorZero'
  /** Something that makes a VMM react, while a descriptor is about to begin and end. */
  | 'armed';

/** Weights, relative within each table; 0 is never. */
export interface MdevMix {
  readonly kinds: Readonly<Record<MdevKind, number>>;
  readonly gestures: Readonly<Record<MdevGesture, number>>;
}

const EVERYDAY_KINDS = {
  'vfio.open': 1,
  'vfio.close': 1,
  'vfio.getIrqInfo': 2,
  'vfio.setIrqs': 16,
  'vfio.reset': 1,
  'vfio.writeEventfd': 1,
  'vfio.closeEventfd': 2,
  'guest.mask': 4,
  'guest.unmask': 6,
  'device.raise': 3,
  'host.failAllocation': 0,
  'guest.msixPerm': 6,
  'guest.bindPasid': 5,
  'guest.freePasid': 4,
  'guest.requestHandle': 4,
  'guest.releaseHandle': 4,
  'guest.submit': 12,
  'device.start': 10,
  'device.complete': 10,
  'device.armDescriptor': 4,
  'host.createMdev': 1,
  'host.removeMdev': 1,
  'host.attach': 1,
  'host.detach': 1,
  'host.crash': 1,
} satisfies MdevMix['kinds'];

const EVERYDAY_GESTURES = {
  use: 8,
  event: 4,
  crossing: 12,
  takeover: 3,
  guess: 3,
  latePerm: 3,
  earlyPerm: 2,
  freeLive: 4,
  again: 3,
  masked: 3,
  ignore: 2,
  handles: 5,
  revoke: 2,
  reset: 2,
  lifecycle: 3,
  exhaust: 2,
  pasids: 2,
  failure: 2,
  vectorZero: 2,
  armed: 8,
} satisfies MdevMix['gestures'];

/** What hosts and guests do, and what each kind of fault needs to show. */
export const MDEV_MIXES = {
  everyday: { kinds: EVERYDAY_KINDS, gestures: EVERYDAY_GESTURES },
  /** Entries that pass from one VM to another while something is under way. */
  isolation: {
    kinds: { ...EVERYDAY_KINDS, 'guest.submit': 16 },
    gestures: { ...EVERYDAY_GESTURES, crossing: 20, takeover: 12, guess: 10, freeLive: 8 },
  },
  /** Which PASID an entry carries, and since when. */
  permission: {
    kinds: { ...EVERYDAY_KINDS, 'guest.msixPerm': 14, 'guest.bindPasid': 8, 'guest.freePasid': 8 },
    gestures: { ...EVERYDAY_GESTURES, latePerm: 10, earlyPerm: 8, freeLive: 10, again: 8, pasids: 6, ignore: 5 },
  },
  /** Who has an mdev, and for how long. */
  lifecycle: {
    kinds: {
      ...{ ...EVERYDAY_KINDS, 'vfio.open': 4, 'vfio.close': 5, 'vfio.reset': 4, 'host.createMdev': 3 },
      ...{ 'host.removeMdev': 3, 'host.attach': 4, 'host.detach': 4, 'host.crash': 4 },
    },
    gestures: { ...EVERYDAY_GESTURES, lifecycle: 16, reset: 6, crossing: 12 },
  },
  /** All that there is only so much of. */
  exhaustion: {
    kinds: { ...EVERYDAY_KINDS, 'host.failAllocation': 6, 'vfio.setIrqs': 26 },
    gestures: { ...EVERYDAY_GESTURES, exhaust: 12, pasids: 10, failure: 8, again: 8 },
  },
  /** What guests know their entries by. */
  handles: {
    kinds: { ...EVERYDAY_KINDS, 'guest.requestHandle': 12, 'guest.releaseHandle': 8 },
    gestures: { ...EVERYDAY_GESTURES, handles: 12, revoke: 12, guess: 6 },
  },
  /** Masks, resets and everything that is asked in the wrong way. */
  errors: {
    kinds: { ...EVERYDAY_KINDS, 'vfio.setIrqs': 40, 'vfio.getIrqInfo': 6, 'guest.mask': 8, 'device.raise': 6 },
    gestures: { ...EVERYDAY_GESTURES, masked: 10, reset: 6, vectorZero: 6 },
  },
} satisfies Record<string, MdevMix>;

export type MdevMixName = keyof typeof MDEV_MIXES;

export const MDEV_MIX_NAMES = Object.keys(MDEV_MIXES) as MdevMixName[];
