import { IMS_PASID_ENABLE, PASID_SHIFT } from '#vocabulary';
import {
  at,
  boundPasid,
  change,
  type FollowedParent,
  type MdevConfig,
  mdevOf,
  type Update,
  vmOf,
} from './followed-parent.ts';

// What an entry is to carry, by what its guest has written and bound: the host has to look at that when it
// synchronises the vector, and only then.

/**
 * The host PASID that a vector's entry is to carry by what its guest has written and bound so far; 0 for an entry
 * that is to be closed.
 */
export function wantedPasid(config: MdevConfig, parent: FollowedParent, device: number, vector: number): number {
  const mdev = mdevOf(parent, device);
  const perm = at(mdev.written, vector);
  if ((perm & IMS_PASID_ENABLE) === 0) return mdev.defaultPasid;
  const hasPasids = config.devices[device]?.mdev?.viommu === true;
  const bound = hasPasids ? boundPasid(parent, vmOf(config, device), perm >>> PASID_SHIFT) : 0;
  if (bound !== 0) return bound;
  switch (config.mdev.noTranslation) {
    case 'default':
      return mdev.defaultPasid;
    case 'closed':
    case 'fail':
      return 0;
  }
}

/** The host has to look at MSIX_PERM of the vector now, and remembers what it saw. */
export function sample(update: Update, device: number, vector: number): void {
  const { config, after } = update;
  change(update, device, 'sampled', vector, wantedPasid(config, after, device, vector));
  change(update, device, 'sampledPerms', vector, at(mdevOf(after, device).written, vector));
}

/** The vector's entry is to be closed until the host looks at MSIX_PERM again. */
export function sampleClosed(update: Update, device: number, vector: number): void {
  change(update, device, 'sampled', vector, 0);
}
