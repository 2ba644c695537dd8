import { cite, declare } from '../cite.ts';
import { enableVectors } from './enable-vectors.ts';
import { disableMsix } from './host-call.ts';
import type { VirtualFunction, Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  tearDown: {
    id: 'qemu.growth.tear-down',
    title: 'A vector beyond those that the host has tears all of them down and sets up more, used or not.',
    source: 'vfio_msix_vector_do_use, QEMU before 8.2, and later where NORESIZE is set',
  },
  eventInGap: {
    id: 'qemu.growth.event-in-the-gap',
    title: 'An event between the tear-down and the new set-up finds MSI-X off, though the guest has it on (W1).',
    source: 'vfio_msix_vector_do_use, QEMU before 8.2, and later where NORESIZE is set; the mail of 2021',
  },
  refused: {
    id: 'qemu.growth.refused',
    title: 'When the host refuses the new set-up all vectors are dead: each comes back with its own next unmask (W2).',
    source: 'vfio_msix_vector_do_use, QEMU 7.2 and 10.0',
  },
});

/**
 * The founding question's step 4. Returns whether the host has done it.
 * Source: vfio_msix_vector_do_use, QEMU 7.2 and 10.0.
 */
export function grow(vmm: Vmm, vf: VirtualFunction): boolean {
  cite(CLAUSE.tearDown);
  if (disableMsix(vmm, vf) > 0) cite(CLAUSE.eventInGap);
  const done = enableVectors(vmm, vf);
  if (!done) cite(CLAUSE.refused);
  return done;
}
