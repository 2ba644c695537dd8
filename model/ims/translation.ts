import { cite, declare } from '../cite.ts';
import { type Mdev, type ParentState, vectorAt } from './parent.ts';

const CLAUSE = declare({
  disabled: {
    id: 'ims.translation.default',
    title: 'A vector whose MSIX_PERM names no PASID has the default PASID of its mdev.',
    source: 'the IMS half of the VFIO MSI-X virtualization mail of 2021; DSA 3.0, 7.5.3',
  },
  translated: {
    id: 'ims.translation.guest-pasid',
    title: 'A guest PASID stands for the host PASID that its own VM has bound to it, in whatever context it is asked.',
    source: 'idxd_mdev_get_host_pasid and its like, drivers of 2021 to 2023; "/dev/ioasid" RFC of 2021, 4 and 5.5',
  },
  unknown: {
    id: 'ims.translation.unknown',
    title: 'A guest PASID that its VM has not bound stands for nothing: the number itself never reaches the hardware.',
    source: 'idxd_mdev_get_host_pasid of the drivers with vSVM, 2021 (-ENXIO); DSA 3.0, 7.5.3',
  },
  unknownDefault: {
    id: 'ims.translation.unknown-is-default',
    title: 'Where the driver has it so, a vector that names a PASID that is not bound has the default one.',
    source: 'DSA 3.0, 7.5.3: a guest PASID that is not set up is mapped to the default PASID',
  },
});

/** The host PASID that a VM has bound to one of its PASIDs, or null. */
export function translate(parent: ParentState, mdev: Mdev, guestPasid: number): number | null {
  if (mdev.facts.viommu !== true) return null;
  const pasid = parent.bindings.get(mdev.facts.vm)?.get(guestPasid) ?? null;
  if (pasid !== null) cite(CLAUSE.translated);
  return pasid;
}

/** The PASID that the entry of a vector should carry now, or null where it should carry none. */
export function wantedPasid(parent: ParentState, mdev: Mdev, vector: number): number | null {
  const { perm } = vectorAt(mdev, vector);
  if (!perm.pasidEnable) {
    cite(CLAUSE.disabled);
    return mdev.defaultPasid;
  }
  const pasid = translate(parent, mdev, perm.pasid);
  if (pasid !== null) return pasid;
  cite(CLAUSE.unknown);
  if (parent.driver.noTranslation !== 'default') return null;
  cite(CLAUSE.unknownDefault);
  return mdev.defaultPasid;
}
