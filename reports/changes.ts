import type { DeviceObservation, GuestObservation, Observation, VectorChange } from '#vocabulary';
import { PENDING, printChanges, printRegisters, UNMASKED } from '#vocabulary';

/** What is observed of the host's devices otherwise than before, in words. Beside a guest the host is named. */
export function hostChanges(before: Observation, after: Observation): readonly string[] {
  return ofEach(after, (device, index) => {
    const words = [...controlChanges(before[index], device), ...vectorChanges(device)];
    return device.guest === undefined || words.length === 0 ? words : [`host: ${words.join('; ')}`];
  });
}

/** What the guests see otherwise than before, in words; nothing where there is no guest. */
export function guestChanges(before: Observation, after: Observation): readonly string[] {
  return ofEach(after, ({ guest }, index) => {
    if (guest === undefined) return [];
    const words = [...guestControlChanges(before[index]?.guest, guest), ...guestVectorChanges(guest)];
    return words.length === 0 ? [] : [`guest: ${words.join('; ')}`];
  });
}

function ofEach(
  observation: Observation,
  words: (device: DeviceObservation, index: number) => readonly string[],
): readonly string[] {
  return observation.flatMap((device, index) => {
    const at = index === 0 ? '' : ` @${index}`;
    return words(device, index).map((word) => `${word}${at}`);
  });
}

function controlChanges(before: DeviceObservation | undefined, after: DeviceObservation): readonly string[] {
  const changes: string[] = [];
  if (before?.enable !== after.enable) changes.push(after.enable ? 'MSI-X on' : 'MSI-X off');
  if ((before?.registers ?? 0) !== after.registers) changes.push(`registers ${printRegisters(after.registers)}`);
  if (before?.functionMask !== after.functionMask)
    changes.push(after.functionMask ? 'function masked' : 'function unmasked');
  if (before?.msixInfoFlags !== after.msixInfoFlags) changes.push(`MSI-X info flags ${after.msixInfoFlags}`);
  return changes;
}

function vectorChanges(device: DeviceObservation): readonly string[] {
  return device.changes.length === 0 ? [] : [printChanges(device)];
}

function guestControlChanges(before: GuestObservation | undefined, after: GuestObservation): readonly string[] {
  const changes: string[] = [];
  if ((before?.enable ?? false) !== after.enable) changes.push(after.enable ? 'MSI-X on' : 'MSI-X off');
  if ((before?.functionMask ?? false) !== after.functionMask)
    changes.push(after.functionMask ? 'function masked' : 'function unmasked');
  return changes;
}

/** `0-3 unmasked; 5 masked pending`, equal neighbours joined. */
function guestVectorChanges({ changes }: GuestObservation): readonly string[] {
  const runs: { first: number; last: number; state: number }[] = [];
  for (const { vector, state } of changes) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === vector - 1 && run.state === state) run.last = vector;
    else runs.push({ first: vector, last: vector, state });
  }
  return runs.map(
    ({ first, last, state }) => `${first === last ? first : `${first}-${last}`} ${guestEntryWords({ state })}`,
  );
}

/** The guest has no other state than these two bits. */
export function guestEntryWords({ state }: Pick<VectorChange, 'state'>): string {
  return `${(state & UNMASKED) === 0 ? 'masked' : 'unmasked'}${(state & PENDING) === 0 ? '' : ' pending'}`;
}
