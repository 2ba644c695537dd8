import {
  ALLOCATED,
  ARMED,
  hostIrq,
  IMS_PENDING,
  PENDING,
  printImsEntry,
  printVectorState,
  UNMASKED,
} from '#vocabulary';
import { at, backingEntry, mdevOf, vectorsSeen } from './followed-parent.ts';
import type { Breach, MdevWatch } from './invariant.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** The vectors of an mdev and the entries of its parent tell the same story. */
export function watchMdevLayers(): MdevWatch {
  return (moment) => {
    const breaches: Breach[] = [];
    for (const [device, observed] of moment.step.observation.entries()) {
      if (observed.functionMask) breaches.push(breach(moment, `Function Mask of mdev ${device} is set`));
      if (observed.registers !== 0) breaches.push(breach(moment, `mdev ${device} has registers ${observed.registers}`));
    }
    if (moment.changes.length === 0 && moment.index > 0) return breaches;
    for (const device of moment.after.mdevs.keys()) breaches.push(...deviceBreaches(moment, device));
    return breaches;
  };
}

function deviceBreaches(moment: MdevMoment, device: number): Breach[] {
  const { before, after, index } = moment;
  const [old, mdev] = [mdevOf(before, device), mdevOf(after, device)];
  const breaches: Breach[] = [];
  if (!mdev.enable && old.enable !== mdev.enable && mdev.states.some((state) => (state & ARMED) !== 0))
    breaches.push(breach(moment, `MSI-X of mdev ${device} is off and vectors have triggers`));
  for (let vector = vectorsSeen(old, mdev) - 1; vector >= 0; vector -= 1) {
    const sameState = at(old.states, vector) === at(mdev.states, vector);
    const sameEntry = backingEntry(before, device, vector) === backingEntry(after, device, vector);
    if (sameState && sameEntry && index > 0) continue;
    const wrong = vectorDisagrees(moment, device, vector);
    if (wrong !== null) breaches.push(breach(moment, wrong, at(old.at, vector)));
  }
  return breaches;
}

function vectorDisagrees({ config, after }: MdevMoment, device: number, vector: number): string | null {
  const { states, enable } = mdevOf(after, device);
  const state = at(states, vector);
  const entry = backingEntry(after, device, vector);
  const name = `vector ${vector} of mdev ${device} is ${printVectorState(state)} and`;
  if (config.vmm !== undefined && (state & UNMASKED) !== 0) return `${name} its table is the VMM’s`;
  if (((state & ALLOCATED) !== 0) !== (entry !== undefined))
    return `${name} has ${entry === undefined ? 'no entry' : `entry ${entry.entry}`}`;
  if ((state & ARMED) !== 0 && !enable) return `${name} MSI-X is off`;
  if (entry === undefined) return null;
  if ((entry.control & IMS_PENDING) !== 0 && (state & PENDING) === 0) return `${name} has ${printImsEntry(entry)}`;
  const owed = (state & ARMED) === 0 ? 0 : hostIrq(device, vector);
  return entry.data === owed ? null : `${name} has ${printImsEntry(entry)} where irq 0x${owed.toString(16)} is its own`;
}
