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
    const { observation } = moment.step;
    for (let device = 0; device < observation.length; device += 1) {
      const observed = observation[device];
      if (observed === undefined) continue;
      if (observed.functionMask) breaches.push(breach(moment, `Function Mask of mdev ${device} is set`));
      if (observed.registers !== 0) breaches.push(breach(moment, `mdev ${device} has registers ${observed.registers}`));
    }
    if (moment.changes.length === 0 && moment.index > 0) return breaches;
    for (let device = 0; device < moment.after.mdevs.length; device += 1) deviceBreaches(moment, device, breaches);
    return breaches;
  };
}

function deviceBreaches(moment: MdevMoment, device: number, breaches: Breach[]): void {
  const { before, after, index } = moment;
  const [old, mdev] = [mdevOf(before, device), mdevOf(after, device)];
  if (old === mdev && before.entries === after.entries && index > 0) return;
  if (!mdev.enable && old.enable !== mdev.enable && mdev.states.some((state) => (state & ARMED) !== 0))
    breaches.push(breach(moment, `MSI-X of mdev ${device} is off and vectors have triggers`));
  for (let vector = vectorsSeen(old, mdev) - 1; vector >= 0; vector -= 1) {
    const sameState = at(old.states, vector) === at(mdev.states, vector);
    const sameEntry = backingEntry(before, device, vector) === backingEntry(after, device, vector);
    if (sameState && sameEntry && index > 0) continue;
    const wrong = vectorDisagrees(moment, device, vector);
    if (wrong !== null) breaches.push(breach(moment, wrong, at(old.at, vector)));
  }
}

function vectorDisagrees(moment: MdevMoment, device: number, vector: number): string | null {
  const state = at(mdevOf(moment.after, device).states, vector);
  const wrong = stateDisagrees(moment, device, vector, state);
  return wrong === null ? null : `vector ${vector} of mdev ${device} is ${printVectorState(state)} and ${wrong}`;
}

function stateDisagrees({ config, after }: MdevMoment, device: number, vector: number, state: number): string | null {
  const entry = backingEntry(after, device, vector);
  if (config.vmm !== undefined && (state & UNMASKED) !== 0) return 'its table is the VMM’s';
  if (((state & ALLOCATED) !== 0) !== (entry !== undefined))
    return `has ${entry === undefined ? 'no entry' : `entry ${entry.entry}`}`;
  if ((state & ARMED) !== 0 && !mdevOf(after, device).enable) return 'MSI-X is off';
  if (entry === undefined) return null;
  if ((entry.control & IMS_PENDING) !== 0 && (state & PENDING) === 0) return `has ${printImsEntry(entry)}`;
  const owed = (state & ARMED) === 0 ? 0 : hostIrq(device, vector);
  return entry.data === owed ? null : `has ${printImsEntry(entry)} where irq 0x${owed.toString(16)} is its own`;
}
