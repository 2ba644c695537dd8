import type { Config, Operation, Scenario } from '#vocabulary';
import { disableAll } from './mdev-vfio.ts';

/**
 * The scenario with the operation at a place made a plain disable of its mdev, and with something less beside it: what
 * that operation needed. There is much that closes an entry; where any of it will do, this is the one to be told.
 */
export function* withDisable({ config, operations }: Scenario, position: number): Generator<Scenario> {
  const operation = operations[position];
  if (operation === undefined || !('device' in operation) || isPlainDisable(operation)) return;
  const disabled = operations.with(position, disable(operation.device, disableKind(config)));
  const plain = disabled.filter(({ kind }) => !OF_PASIDS.has(kind)).map(withoutPasid);
  if (plain.length < operations.length) yield { config, operations: plain };
  for (let dropped = 0; dropped < operations.length; dropped++) {
    if (dropped !== position) yield { config, operations: disabled.toSpliced(dropped, 1) };
  }
}

/** What is about PASIDs and nothing else. */
const OF_PASIDS: ReadonlySet<Operation['kind']> = new Set(['guest.bindPasid', 'guest.freePasid', 'guest.msixPerm']);

/** How a machine's user turns MSI-X off. */
export function disableKind({ vmm }: Config): 'guest.msixControl' | 'vfio.setIrqs' {
  return vmm === undefined ? 'vfio.setIrqs' : 'guest.msixControl';
}

function disable(device: number, kind: ReturnType<typeof disableKind>): Operation {
  return kind === 'vfio.setIrqs' ? disableAll(device) : { kind, device, enable: false, functionMask: false };
}

function isPlainDisable(operation: Operation): boolean {
  if (operation.kind === 'guest.msixControl') return !operation.enable;
  return operation.kind === 'vfio.setIrqs' && operation.count === 0;
}

function withoutPasid(operation: Operation): Operation {
  return operation.kind === 'guest.submit' ? { ...operation, queue: 'dedicated', pasid: 0 } : operation;
}
