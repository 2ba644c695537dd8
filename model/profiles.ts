import type { HostTraits, MdevTraits, Platform, VmmTraits } from '#vocabulary';

/** The one place where versions become traits. */
const HOSTS = {
  // Linux before 6.5: vfio_pci_intrs.c with an array of num_ctx contexts. Run: 6.1.192.
  'linux-6.1': { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' },
  // Linux 6.5 and later on x86: contexts in an xarray, dynamic MSI-X (a65f35cfd504..6c8017c6a58d). Run: 6.12.117.
  'linux-6.12': { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
  // The same code where the interrupt domain cannot add vectors (pci_msix_can_alloc_dyn), as on no x86: read, not run.
  'linux-6.12-static': { dynamicMsix: false, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
} as const satisfies Record<string, HostTraits>;

interface MdevDriver extends MdevTraits {
  readonly dynamic: boolean;
}

/**
 * Drivers of mediated devices, of which no released kernel has one: read in what was published between 2020 and 2026,
 * each with the synchronisation, the allocation and the answers that somebody has proposed.
 */
const MDEVS = {
  // The virtual device that the RFC of 2023 leads to (vfio/pci: Back guest interrupts from IMS), entries one by one.
  'idxd-mdev': {
    ...{ dynamic: true, allocation: 'per-vector', permSync: 'atEnable' },
    ...{ noTranslation: 'fail', defaultPasid: 'per-mdev', releaseBy: 'index' },
  },
  // MSIX_PERM is looked at again when the host unmasks (the second proposal in the discussion of 2021).
  'idxd-mdev-at-unmask': {
    ...{ dynamic: true, allocation: 'per-vector', permSync: 'atUnmask' },
    ...{ noTranslation: 'closed', defaultPasid: 'per-mdev', releaseBy: 'index' },
  },
  // A trapped write reaches the entry at once (the first proposal in the discussion of 2021).
  'idxd-mdev-immediate': {
    ...{ dynamic: true, allocation: 'per-vector', permSync: 'immediate' },
    ...{ noTranslation: 'default', defaultPasid: 'per-mdev', releaseBy: 'handle' },
  },
  // All entries at the first trigger, closed until they are programmed (the driver of 2026).
  'idxd-mdev-all-closed': {
    ...{ dynamic: true, allocation: 'all-closed', permSync: 'immediate' },
    ...{ noTranslation: 'closed', defaultPasid: 'per-mdev', releaseBy: 'index' },
  },
  // All entries at the first trigger, with the default PASID until it is known better (the flow sketched in 2021).
  'idxd-mdev-all-default': {
    ...{ dynamic: true, allocation: 'all-default', permSync: 'atUnmask' },
    ...{ noTranslation: 'default', defaultPasid: 'per-domain', releaseBy: 'index' },
  },
  // The drivers of 2021: all vectors in one call or none, and the PASID when a vector gets its trigger.
  'idxd-mdev-fixed': {
    ...{ dynamic: false, allocation: 'all-closed', permSync: 'atEnable' },
    ...{ noTranslation: 'fail', defaultPasid: 'per-domain', releaseBy: 'handle' },
  },
} as const satisfies Record<string, MdevDriver>;

const VMMS = {
  // QEMU 1.4 to 8.1.
  'qemu-7.2': 'vector-0-first',
  // QEMU 8.2 and later (45d85f6228, d9e6710d7d, 5ebffa4e87, eaadba6f9b).
  'qemu-10.0': 'as-irq-info-says',
  // Cloud Hypervisor and OpenVMM, as they are in 2026: read, not run.
  'all-at-enable': 'all-at-enable',
} as const satisfies Record<string, VmmTraits['allocation']>;

export type HostName = keyof typeof HOSTS;
export type MdevHostName = keyof typeof MDEVS;
type VmmName = keyof typeof VMMS;

/** What is below a VMM, or below the scenario itself. */
type BaseName = HostName | MdevHostName;

/** A host, or a host with a VMM on top, which delivers in userspace where nothing else is said. */
export type ProfileName = BaseName | `${BaseName}+${VmmName}` | `${BaseName}+${VmmName}/irqfd`;

export const HOST_NAMES = Object.keys(HOSTS) as readonly HostName[];
export const MDEV_HOST_NAMES = Object.keys(MDEVS) as readonly MdevHostName[];
const TRAIT_NAMES = Object.keys(HOSTS['linux-6.1']) as readonly (keyof HostTraits)[];
const VMM_NAMES = Object.keys(VMMS) as readonly VmmName[];

/** Hosts alone first, then each with every VMM on top. */
export const PROFILE_NAMES: readonly ProfileName[] = namesOn(HOST_NAMES);
/** The same with mediated devices. */
export const MDEV_PROFILE_NAMES: readonly ProfileName[] = namesOn(MDEV_HOST_NAMES);

const EVERY_NAME = [...PROFILE_NAMES, ...MDEV_PROFILE_NAMES];

function namesOn(bases: readonly BaseName[]): readonly ProfileName[] {
  return [
    ...bases,
    ...bases.flatMap((base) => VMM_NAMES.flatMap((vmm): ProfileName[] => [`${base}+${vmm}`, `${base}+${vmm}/irqfd`])),
  ];
}

/** Every profile in a few words, for people. */
export const PROFILES_IN_WORDS = [
  [...HOST_NAMES, ...MDEV_HOST_NAMES].join(', '),
  `each also with ${VMM_NAMES.map((name) => `+${name}`).join(', ')}`,
  'and then with /irqfd',
].join(', ');

/** The profile of a name, in which the delivery may be spelled out; undefined where there is none. */
export function profileNamed(name: string): ProfileName | undefined {
  const short = name.replace(/\/userspace$/, '');
  return EVERY_NAME.find((profile) => profile === short && (short === name || profile.includes('+')));
}

export function hostTraits(host: HostName): HostTraits {
  return HOSTS[host];
}

/** The host that has most of these traits, the first of several. */
export function nearestHost(traits: HostTraits): HostName {
  const shared = (name: HostName): number => TRAIT_NAMES.filter((trait) => HOSTS[name][trait] === traits[trait]).length;
  return HOST_NAMES.reduce((nearest, name) => (shared(name) > shared(nearest) ? name : nearest));
}

/** What a profile stands for. */
export function platformOf(profile: ProfileName): Platform {
  const [base = '', delivery] = profile.split('/');
  const [host, vmm] = base.split('+') as [BaseName, VmmName?];
  const below = baseOf(host);
  if (vmm === undefined) return below;
  return { ...below, vmm: { allocation: VMMS[vmm], delivery: delivery === 'irqfd' ? 'irqfd' : 'userspace' } };
}

function baseOf(name: BaseName): Platform {
  if (isHost(name)) return { host: HOSTS[name] };
  const { dynamic, ...mdev } = MDEVS[name];
  // What an mdev driver has of vfio-pci's ways: the ranges are looked at vector by vector.
  return { host: { dynamicMsix: dynamic, rangeCheck: 'vector-by-vector', belowMinusOne: 'ignored' }, mdev };
}

function isHost(name: BaseName): name is HostName {
  return name in HOSTS;
}

/** The profile that a platform behaves as, or undefined where none describes it. */
export function profileOf(platform: Platform): ProfileName | undefined {
  return EVERY_NAME.find((name) => canonical(platformOf(name)) === canonical(platform));
}

function canonical({ host: { dynamicMsix, rangeCheck, belowMinusOne }, mdev, vmm }: Platform): string {
  const driver = [mdev?.allocation, mdev?.permSync, mdev?.noTranslation, mdev?.defaultPasid, mdev?.releaseBy];
  return JSON.stringify([dynamicMsix, rangeCheck, belowMinusOne, driver, vmm?.allocation, vmm?.delivery]);
}
