import type { HostTraits, MdevFacts, MdevTraits, Parent } from '#vocabulary';
import { counted } from './layout.ts';

const ALLOCATIONS: Readonly<Record<MdevTraits['allocation'], string>> = {
  'per-vector': 'an IMS entry for each vector that has a trigger',
  'all-closed': 'all IMS entries at the first trigger, closed',
  'all-default': 'all IMS entries at the first trigger, with the default PASID',
};

const SYNCHRONISATIONS: Readonly<Record<MdevTraits['permSync'], string>> = {
  atEnable: 'MSIX_PERM is looked at when a vector gets a trigger',
  atUnmask: 'MSIX_PERM is looked at when a vector gets a trigger or is unmasked',
  immediate: 'MSIX_PERM reaches the entry at once',
};

const UNBOUND: Readonly<Record<MdevTraits['noTranslation'], string>> = {
  fail: 'a PASID that is not bound is refused',
  closed: 'a PASID that is not bound closes the entry',
  default: 'a PASID that is not bound becomes the default PASID',
};

const DEFAULT_PASIDS: Readonly<Record<MdevTraits['defaultPasid'], string>> = {
  'per-mdev': 'a default PASID for each mdev',
  'per-domain': 'one default PASID for all mdevs of a VM',
};

const RELEASES: Readonly<Record<MdevTraits['releaseBy'], string>> = {
  handle: 'Release Interrupt Handle takes the handle',
  index: 'Release Interrupt Handle takes the vector',
};

/** The traits of a driver of mdevs in words, with the one that vfio tells of its host. */
export function driverWords(driver: MdevTraits, { dynamicMsix }: Pick<HostTraits, 'dynamicMsix'>): string {
  return [
    dynamicMsix ? 'MSI-X grows while on' : 'MSI-X fixed while on',
    ALLOCATIONS[driver.allocation],
    SYNCHRONISATIONS[driver.permSync],
    UNBOUND[driver.noTranslation],
    DEFAULT_PASIDS[driver.defaultPasid],
    RELEASES[driver.releaseBy],
  ].join('; ');
}

/** What mdevs share, in words. */
export function parentWords({ entries, pasids, quota, handles }: Parent): string {
  const most = quota >= entries ? '' : `, at most ${quota} for an mdev`;
  return [
    `IMS table of ${counted(entries, 'entry', 'entries')}${most}`,
    pasids === 1 ? 'PASID 1' : `PASIDs 1 to ${pasids}`,
    handles === 'requested' ? 'descriptors name a handle that was requested' : 'descriptors may name any entry',
  ].join('; ');
}

/** An mdev in words. Its first vector is the driver's own, so one fewer is on entries. */
export function mdevWords({ vm, viommu }: MdevFacts, vectors: number): string {
  const table =
    vectors === 1 ? '1 vector, emulated' : `${counted(vectors, 'vector')}, all but the first on IMS entries`;
  return `mdev of VM ${vm}, ${viommu === true ? 'which has a virtual IOMMU' : 'without virtual IOMMU'}; ${table}`;
}
