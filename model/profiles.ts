import type { HostTraits, Platform, VmmTraits } from '#vocabulary';

/** The one place where versions become traits. */
const HOSTS = {
  // Linux before 6.5: vfio_pci_intrs.c with an array of num_ctx contexts. Run: 6.1.192.
  'linux-6.1': { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' },
  // Linux 6.5 and later on x86: contexts in an xarray, dynamic MSI-X (a65f35cfd504..6c8017c6a58d). Run: 6.12.117.
  'linux-6.12': { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
  // The same code where the interrupt domain cannot add vectors (pci_msix_can_alloc_dyn), as on no x86: read, not run.
  'linux-6.12-static': { dynamicMsix: false, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
} as const satisfies Record<string, HostTraits>;

const VMMS = {
  // QEMU 1.4 to 8.1.
  'qemu-7.2': 'vector-0-first',
  // QEMU 8.2 and later (45d85f6228, d9e6710d7d, 5ebffa4e87, eaadba6f9b).
  'qemu-10.0': 'as-irq-info-says',
  // Cloud Hypervisor and OpenVMM, as they are in 2026: read, not run.
  'all-at-enable': 'all-at-enable',
} as const satisfies Record<string, VmmTraits['allocation']>;

export type HostName = keyof typeof HOSTS;
type VmmName = keyof typeof VMMS;

/** A host, or a host with a VMM on top, which delivers in userspace where nothing else is said. */
export type ProfileName = HostName | `${HostName}+${VmmName}` | `${HostName}+${VmmName}/irqfd`;

export const HOST_NAMES = Object.keys(HOSTS) as readonly HostName[];
const VMM_NAMES = Object.keys(VMMS) as readonly VmmName[];

/** Hosts alone first, then each with every VMM on top. */
export const PROFILE_NAMES: readonly ProfileName[] = [
  ...HOST_NAMES,
  ...HOST_NAMES.flatMap((host) =>
    VMM_NAMES.flatMap((vmm): ProfileName[] => [`${host}+${vmm}`, `${host}+${vmm}/irqfd`]),
  ),
];

/** Every profile in a few words, for people. */
export const PROFILES_IN_WORDS = [
  HOST_NAMES.join(', '),
  `each also with ${VMM_NAMES.map((name) => `+${name}`).join(', ')}`,
  'and then with /irqfd',
].join(', ');

/** The profile of a name, in which the delivery may be spelled out; undefined where there is none. */
export function profileNamed(name: string): ProfileName | undefined {
  const short = name.replace(/\/userspace$/, '');
  return PROFILE_NAMES.find((profile) => profile === short && (short === name || profile.includes('+')));
}

export function hostTraits(host: HostName): HostTraits {
  return HOSTS[host];
}

/** What a profile stands for. */
export function platformOf(profile: ProfileName): Platform {
  const [base = '', delivery] = profile.split('/');
  const [host, vmm] = base.split('+') as [HostName, VmmName?];
  if (vmm === undefined) return { host: HOSTS[host] };
  return {
    host: HOSTS[host],
    vmm: { allocation: VMMS[vmm], delivery: delivery === 'irqfd' ? 'irqfd' : 'userspace' },
  };
}

/** The profile that a platform behaves as, or undefined where none describes it. */
export function profileOf(platform: Platform): ProfileName | undefined {
  return PROFILE_NAMES.find((name) => canonical(platformOf(name)) === canonical(platform));
}

function canonical({ host: { dynamicMsix, rangeCheck, belowMinusOne }, vmm }: Platform): string {
  return JSON.stringify([dynamicMsix, rangeCheck, belowMinusOne, vmm?.allocation, vmm?.delivery]);
}
