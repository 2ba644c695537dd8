import { isEventfdName, type VfioSetIrqs } from '#vocabulary';
import { at, type FollowedParent, type MdevConfig, mdevOf, vmOf } from './followed-parent.ts';
import { setsMsix } from './mdev-calls.ts';
import type { Followed } from './mdev-moment.ts';

/** Why ENOSPC was returned although there was enough of everything; null where it was not, or there was not. */
export function shortageWrong({ config, before, operation, step }: Followed): string | null {
  if (step.outcome.kind !== 'errno' || step.outcome.errno !== 'ENOSPC') return null;
  if (setsMsix(operation)) {
    if (before.allocationMayFail || isShortOfEntries(config, before, operation)) return null;
    return `no entry was left, and ${ownedBy(before, null)} of ${config.parent.entries} are used`;
  }
  if (operation.kind === 'host.attach' || operation.kind === 'guest.bindPasid') {
    const used = before.pasids.filter(({ state }) => state !== 'free').length;
    const shares = operation.kind === 'host.attach' && hasDefault(config, before, operation.device);
    if (used >= config.parent.pasids && !shares) return null;
    return `no PASID was left, and ${used} of ${config.parent.pasids} are used`;
  }
  return `${operation.kind} takes nothing, and nothing was left`;
}

/** Whether the mdev is given a default PASID that there is already. */
function hasDefault(config: MdevConfig, { mdevs }: FollowedParent, device: number): boolean {
  if (config.mdev.defaultPasid === 'per-mdev') return false;
  const vm = vmOf(config, device);
  return mdevs.some(({ defaultPasid }, place) => defaultPasid !== 0 && vmOf(config, place) === vm);
}

/** Whether a call may need more entries than there are, or than its mdev may have. */
function isShortOfEntries(config: MdevConfig, before: FollowedParent, call: VfioSetIrqs): boolean {
  const { device } = call;
  const mdev = mdevOf(before, device);
  const { entries, quota } = config.parent;
  const own = ownedBy(before, device);
  const wanted = (): number => {
    if (config.mdev.allocation !== 'per-vector')
      return mdev.enable ? 0 : (config.devices[device]?.msixVectors ?? 1) - 1;
    const vectors = call.data
      .slice(0, call.count)
      .flatMap((element, place) => (isEventfdName(element) ? [call.start + place] : []));
    return vectors.filter((vector) => vector > 0 && at(mdev.backing, vector) === 0).length;
  };
  return ownedBy(before, null) + wanted() > entries || own + wanted() > quota;
}

function ownedBy({ entries }: FollowedParent, device: number | null): number {
  return entries.filter((entry) => (device === null ? entry.device !== -1 : entry.device === device)).length;
}
