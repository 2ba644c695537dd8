import { cite, declare } from '../cite.ts';
import { msixNotify } from './msix-notify.ts';
import { vectorRelease } from './vector-release.ts';
import { vectorUse } from './vector-use.ts';
import { isMasked, unmaskedAscending, type VirtualFunction, type Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  mask: {
    id: 'qemu.mask-update.mask',
    title: 'Masking a vector releases it: it stays in use, with an eventfd that the VMM itself reads.',
    source: 'msix_handle_mask_update, msix_fire_vector_notifier, QEMU 7.2 and 10.0',
  },
  unmask: {
    id: 'qemu.mask-update.unmask',
    title: 'Unmasking a vector puts it to use on the host before anything that is pending is replayed.',
    source: 'msix_handle_mask_update, QEMU 7.2 and 10.0',
  },
  replay: {
    id: 'qemu.mask-update.replay',
    title: 'The pending bit of a vector that is unmasked is cleared and one message sent.',
    source: 'msix_handle_mask_update, QEMU 7.2 and 10.0; PCIe 6.0, 6.1.4.5',
  },
  functionMask: {
    id: 'qemu.mask-update.function-mask',
    title: 'Function Mask releases and uses the unmasked vectors one by one, each with its own calls (W10).',
    source: 'msix_write_config, QEMU 7.2 and 10.0',
  },
});

/** A vector may have become masked or unmasked for the guest. Source: msix_handle_mask_update, QEMU 7.2 and 10.0. */
export function handleMaskUpdate(vmm: Vmm, vf: VirtualFunction, vector: number, wasMasked: boolean): void {
  const masked = isMasked(vf, vector);
  if (masked === wasMasked) return;
  if (vf.notifies && masked) {
    cite(CLAUSE.mask);
    vectorRelease(vmm, vf, vector);
  }
  if (vf.notifies && !masked) {
    cite(CLAUSE.unmask);
    vectorUse(vmm, vf, vector);
  }
  if (masked || !vf.pba.has(vector)) return;
  cite(CLAUSE.replay);
  vf.pba.delete(vector);
  msixNotify(vmm, vf, vector);
}

/** Message Control was written. Source: msix_write_config, msix_update_function_masked, QEMU 7.2 and 10.0. */
export function updateFunctionMasked(vmm: Vmm, vf: VirtualFunction): void {
  const before = vf.allMasked;
  vf.allMasked = !vf.enable || vf.functionMask;
  if (!vf.enable || vf.allMasked === before) return;
  const unmasked = unmaskedAscending(vf);
  if (vf.notifies && unmasked.length > 1) cite(CLAUSE.functionMask);
  for (const vector of unmasked) handleMaskUpdate(vmm, vf, vector, before);
}
