import { writtenControl } from './guest-access.ts';
import { type GuestDeviceMemory, type GuestMemory, guestDevice } from './guest-memory.ts';
import type { Asked } from './guest-mix.ts';

/** So many entries are unmasked one by one; where more are missing, Function Mask is set instead. */
const FILLED_MAX = 4;

/**
 * An operation, so that it does not enable MSI-X over a table with a hole: an entry that is masked below one that is
 * not. Some VMMs do not survive that, and a scenario that ends there shows nothing else.
 */
export function withoutHole(memory: GuestMemory, operation: Asked): readonly Asked[] {
  const control = controlOf(operation);
  if (control === undefined || !control.enable || control.functionMask || !('device' in operation)) return [operation];
  const device = guestDevice(memory, operation.device);
  const missing = device.enabled ? [] : holesOf(device);
  if (missing.length === 0) return [operation];
  if (missing.length > FILLED_MAX)
    return [{ kind: 'guest.msixControl', device: operation.device, enable: true, functionMask: true }];
  const unmasks = missing.map((vector): Asked => ({ kind: 'guest.unmask', device: operation.device, vector }));
  return [...unmasks, operation];
}

function controlOf(operation: Asked): { readonly enable: boolean; readonly functionMask: boolean } | undefined {
  if (operation.kind === 'guest.msixControl') return operation;
  return operation.kind === 'guest.configWrite' ? writtenControl(operation) : undefined;
}

function holesOf({ unmasked }: GuestDeviceMemory): readonly number[] {
  const highest = Math.max(-1, ...unmasked);
  return Array.from({ length: highest + 1 }, (_, vector) => vector).filter((vector) => !unmasked.includes(vector));
}
