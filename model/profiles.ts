import type { HostTraits } from '#vocabulary';

/** The one place where versions become traits. */
const HOSTS = {
  // Linux before 6.5: vfio_pci_intrs.c with an array of num_ctx contexts. Run: 6.1.192.
  'linux-6.1': { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' },
  // Linux 6.5 and later on x86: contexts in an xarray, dynamic MSI-X (a65f35cfd504..6c8017c6a58d). Run: 6.12.117.
  'linux-6.12': { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
  // The same code where the interrupt domain cannot add vectors (pci_msix_can_alloc_dyn), as on no x86: read, not run.
  'linux-6.12-static': { dynamicMsix: false, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
} as const satisfies Record<string, HostTraits>;

export type ProfileName = keyof typeof HOSTS;

export const PROFILE_NAMES = Object.keys(HOSTS) as readonly ProfileName[];

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(HOSTS, name);
}

export function hostTraits(profile: ProfileName): HostTraits {
  return HOSTS[profile];
}

/** The profile whose traits a host has, or undefined where no profile describes it. */
export function profileOf(traits: HostTraits): ProfileName | undefined {
  return PROFILE_NAMES.find((name) => JSON.stringify(canonical(HOSTS[name])) === JSON.stringify(canonical(traits)));
}

function canonical({ dynamicMsix, rangeCheck, belowMinusOne }: HostTraits): readonly unknown[] {
  return [dynamicMsix, rangeCheck, belowMinusOne];
}
