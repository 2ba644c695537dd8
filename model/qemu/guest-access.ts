import type { GuestOperation, Outcome } from '#vocabulary';
import { capabilityWrite, setBusMaster } from './config-write.ts';
import { runEventLoop } from './event-loop.ts';
import { pbaRead } from './pba-read.ts';
import { resetFromOutside } from './reset.ts';
import { tableRead, tableWrite } from './table-access.ts';
import type { VirtualFunction, Vmm } from './virtual-function.ts';

const OK: Outcome = { kind: 'ok' };
/** Message Control within the capability, and its bits. */
const CONTROL_OFFSET = 2;
const CONTROL_BYTES = 2;
const ENABLE = 0x8000;
const FUNCTION_MASK = 0x4000;
/** Vector Control within an entry. */
const VECTOR_CONTROL_OFFSET = 12;
const WORD_BYTES = 4;

/**
 * What the guest does, with all that the VMM does about it; then its event loop runs.
 * Source: os_host_main_loop_wait, QEMU 7.2 and 10.0.
 */
export function guestAccess(vmm: Vmm, vf: VirtualFunction, operation: GuestOperation): Outcome {
  vf.opened = null;
  const outcome = access(vmm, vf, operation);
  runEventLoop(vmm);
  return outcome;
}

/** Source: PCIe 6.0, 7.5.1.1.3 (Command), 7.7.2 (MSI-X). */
function access(vmm: Vmm, vf: VirtualFunction, operation: GuestOperation): Outcome {
  switch (operation.kind) {
    case 'guest.msixControl': {
      const value = (operation.enable ? ENABLE : 0) + (operation.functionMask ? FUNCTION_MASK : 0);
      capabilityWrite(vmm, vf, { offset: CONTROL_OFFSET, width: CONTROL_BYTES, value });
      return OK;
    }
    case 'guest.configWrite':
      capabilityWrite(vmm, vf, operation);
      return OK;
    case 'guest.mask':
    case 'guest.unmask': {
      const value = operation.kind === 'guest.mask' ? 1 : 0;
      return tableWrite(vmm, vf, { vector: operation.vector, offset: VECTOR_CONTROL_OFFSET, width: WORD_BYTES, value });
    }
    case 'guest.tableWrite':
      return tableWrite(vmm, vf, operation);
    case 'guest.tableRead':
      return tableRead(vf, operation.vector, operation.offset);
    case 'guest.readPba':
      return pbaRead(vf, operation.vector);
    case 'guest.busMaster':
      setBusMaster(vf, operation.enable);
      return OK;
    case 'guest.reset':
      resetFromOutside(vmm, vf);
      return OK;
  }
}
