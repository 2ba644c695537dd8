import type { Platform, Support, System } from '#vocabulary';
import { MDEV_PROFILE_NAMES, PROFILE_NAMES, type ProfileName, platformOf } from '../../model/profiles.ts';
import { hasMdevs } from '../generators/pci-function.ts';

/** Scenarios of a campaign on an in-process system. */
const HOST_ALONE = 2_000;
/** The same with a VMM, of which there are many: 20,000 and more in all where no interrupt may be lost. */
const TEARING_DOWN = 300;
const KEEPING = 2_520;
/** The same with mdevs: what a VMM does is known by then, and there are very many. */
const MDEVS_ALONE = 700;
const MDEVS_WITH_VMM = 15;
/** Scenarios on a real system that was named, and on one that is real from top to bottom. */
const REAL = 3_000;
const REAL_STACK = 300;

/** Whether a system has something of its own, below or on top, that the Config does not decide. */
export function isReal({ support }: System): boolean {
  return support.host === 'own' || typeof support.vmm === 'object';
}

/** How many scenarios a campaign has when nobody says. */
export function scenariosFor(system: System, platform: Platform): number {
  const { host, vmm } = system.support;
  if (host === 'own' && typeof vmm === 'object') return REAL_STACK;
  if (isReal(system)) return REAL;
  if (platform.mdev !== undefined) return platform.vmm === undefined ? MDEVS_ALONE : MDEVS_WITH_VMM;
  if (platform.vmm === undefined) return HOST_ALONE;
  return keepsInterrupts(platform) ? KEEPING : TEARING_DOWN;
}

/** Whether vectors come to a guest without a tear-down. */
function keepsInterrupts({ host, vmm }: Platform): boolean {
  return vmm?.allocation === 'all-at-enable' || (vmm?.allocation === 'as-irq-info-says' && host.dynamicMsix);
}

/** The profiles of a system that takes its host from the Config. */
export function profilesFor({ support }: System): readonly ProfileName[] {
  return [...PROFILE_NAMES, ...MDEV_PROFILE_NAMES].filter((profile) => suits(support, platformOf(profile)));
}

/** Whether a system can have such a VMM on it, or none, and mdevs where the platform has such. */
export function suits(support: Support, { mdev, vmm }: Platform): boolean {
  if (mdev !== undefined && !hasMdevs(support)) return false;
  const { vmm: has } = support;
  if (has === 'configured') return true;
  if (has === 'none') return vmm === undefined;
  return vmm?.allocation === has.allocation && vmm.delivery === has.delivery;
}
