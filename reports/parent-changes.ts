import {
  type Descriptor,
  type HostPasid,
  type ImsEntry,
  type MdevState,
  type MsixPerm,
  type ParentObservation,
  printDescriptor,
  printHostPasid,
  printImsEntry,
  printMdevState,
  printMsixPerm,
} from '#vocabulary';

/**
 * What is now observed of the parent of the mdevs, in words: `entry 0 of @0.1: unmasked pasid 1 irq 0x101`. Neighbours
 * that say the same are one: `entries 0-6 of @0.1-7: masked`. Nothing where there are no mdevs.
 */
export function parentChanges(parent: ParentObservation | undefined): readonly string[] {
  if (parent === undefined) return [];
  return [
    ...joined(parent.mdevs, isNextMdev, mdevWords),
    ...joined(parent.entries, isNextEntry, entryWords),
    ...joined(parent.pasids, isNextPasid, pasidWords),
    ...joined(parent.perms, isNextPerm, permWords),
    ...joined(parent.descriptors, isNextDescriptor, descriptorWords),
  ];
}

/** The words of each run of neighbours. */
function joined<Item>(
  items: readonly Item[],
  isNext: (before: Item, after: Item) => boolean,
  words: (first: Item, last: Item) => string,
): readonly string[] {
  const runs: { first: Item; last: Item }[] = [];
  for (const item of items) {
    const run = runs.at(-1);
    if (run !== undefined && isNext(run.last, item)) run.last = item;
    else runs.push({ first: item, last: item });
  }
  return runs.map(({ first, last }) => words(first, last));
}

/** `3`, or `3-7` */
function span(first: number, last: number): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function isNextEntry(before: ImsEntry, after: ImsEntry): boolean {
  const steps = after.device === -1 ? 0 : 1;
  return (
    after.entry === before.entry + 1 &&
    after.device === before.device &&
    after.vector === before.vector + steps &&
    after.control === before.control &&
    after.handle === before.handle &&
    after.data === (before.data === 0 ? 0 : before.data + steps)
  );
}

/** The notation of one entry, with a span wherever the last of a run has another number. */
function entryWords(first: ImsEntry, last: ImsEntry): string {
  const words = printImsEntry(first);
  if (first === last) return words;
  return words
    .replace(/^entry \d+/, `entries ${span(first.entry, last.entry)}`)
    .replace(/(?<=@\d+\.)\d+/, span(first.vector, last.vector))
    .replace(/(?<=irq )0x[0-9a-f]+/, (irq) => (first.data === last.data ? irq : `${irq}-0x${last.data.toString(16)}`));
}

function isNextPasid(before: HostPasid, after: HostPasid): boolean {
  const isAlike = after.state === 'free' && before.state === 'free';
  return isAlike && after.pasid === before.pasid + 1;
}

function pasidWords(first: HostPasid, last: HostPasid): string {
  return first === last ? printHostPasid(first) : `pasids ${span(first.pasid, last.pasid)} free`;
}

function isNextMdev(before: MdevState, after: MdevState): boolean {
  return after.device === before.device + 1 && after.life === before.life && after.defaultPasid === before.defaultPasid;
}

function mdevWords(first: MdevState, last: MdevState): string {
  return `mdev @${span(first.device, last.device)} ${first.life === 'gone' ? 'gone' : printMdevState(first)}`;
}

function isNextPerm(before: MsixPerm, after: MsixPerm): boolean {
  return after.device === before.device && after.vector === before.vector + 1 && after.value === before.value;
}

function permWords(first: MsixPerm, last: MsixPerm): string {
  return `MSIX_PERM of @${first.device}.${span(first.vector, last.vector)}: ${printMsixPerm(first)}`;
}

function isNextDescriptor(before: Descriptor, after: Descriptor): boolean {
  return after.phase === 'over' && before.phase === 'over' && after.descriptor === before.descriptor + 1;
}

function descriptorWords(first: Descriptor, last: Descriptor): string {
  const name = `descriptor${first === last ? '' : 's'} ${span(first.descriptor, last.descriptor)}`;
  return `${name} ${printDescriptor(first)}`;
}
