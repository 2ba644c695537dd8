import type { Platform, Support } from '#vocabulary';
import { GUEST_WITNESSES } from './guest.ts';
import { HOST_WITNESSES } from './host.ts';
import { MDEV_GUEST_WITNESSES, MDEV_WITNESSES } from './mdev.ts';
import { isWatched, type Witness } from './witness.ts';

function familyOf({ mdev, vmm }: Platform): readonly Witness[] {
  if (mdev !== undefined) return vmm === undefined ? MDEV_WITNESSES : MDEV_GUEST_WITNESSES;
  return vmm === undefined ? HOST_WITNESSES : GUEST_WITNESSES;
}

/** What can be seen of a system on a platform. */
export function witnessesOf(support: Pick<Support, 'operations'>, platform: Platform): readonly Witness[] {
  return familyOf(platform).filter((witness) => isWatched(witness, support, platform));
}
