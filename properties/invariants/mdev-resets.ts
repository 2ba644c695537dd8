import { ALLOCATED, ARMED, PENDING, printVectorState, UNMASKED } from '#vocabulary';
import { at, backingEntry, mdevOf, vectorsSeen } from './followed-parent.ts';
import { KEPT, type MdevWatch } from './invariant.ts';
import { carried } from './mdev-entries.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/**
 * After VFIO_DEVICE_RESET of an mdev its virtual registers are as at first, nothing of it is in flight or pending, and
 * the triggers are as they were, by entries that let the default PASID through or nothing.
 */
export function watchMdevResets(): MdevWatch {
  return (moment) => {
    if (moment.calls.length === 0) return KEPT;
    const breaches = [];
    for (const { operation, granted } of moment.calls) {
      if (operation.kind !== 'vfio.reset') continue;
      const wrong = granted ? resetWrong(moment, operation.device) : refusedWrong(moment, operation.device);
      if (wrong !== null) breaches.push(breach(moment, wrong));
    }
    return breaches;
  };
}

function refusedWrong({ before }: MdevMoment, device: number): string | null {
  return mdevOf(before, device).life === 'open' ? `mdev ${device} is open and was not reset` : null;
}

function resetWrong(moment: MdevMoment, device: number): string | null {
  const { config, before, after } = moment;
  const [old, mdev] = [mdevOf(before, device), mdevOf(after, device)];
  const perm = mdev.perms.findIndex((value) => value !== 0);
  if (perm !== -1) return `MSIX_PERM of vector ${perm} of mdev ${device} is not 0 after the reset`;
  const descriptor = after.descriptors.find((one) => one.device === device);
  if (descriptor !== undefined)
    return `descriptor ${descriptor.descriptor} is in flight after the reset of mdev ${device}`;
  for (let vector = vectorsSeen(old, mdev) - 1; vector >= 0; vector -= 1) {
    const [was, is] = [at(old.states, vector), at(mdev.states, vector)];
    const name = `vector ${vector} of mdev ${device}`;
    if ((is & (PENDING | UNMASKED)) !== 0) return `${name} is ${printVectorState(is)} after the reset`;
    // What a VMM does in reaction to its guest is more than the reset.
    if (config.vmm === undefined && ((was ^ is) & (ALLOCATED | ARMED)) !== 0)
      return `${name} went from ${printVectorState(was)} to ${printVectorState(is)} in the reset`;
    const entry = backingEntry(after, device, vector);
    const pasid = entry === undefined ? 0 : carried(entry);
    if (pasid !== 0 && pasid !== mdev.defaultPasid) return `${name} lets PASID ${pasid} through after the reset`;
    if (entry?.handle === true) return `${name} has a handle after the reset`;
  }
  return null;
}
