import type { Outcome } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { isBeyondTable } from './table-access.ts';
import type { VirtualFunction } from './virtual-function.ts';

const CLAUSE = declare({
  emulated: {
    id: 'qemu.pba-read.emulated',
    title: 'While the VMM holds an event of a masked vector the guest reads the emulated pending bits.',
    source: 'msix_pba_mmio_read, vfio_msi_interrupt, QEMU 2.6 and later (95239e1625)',
  },
  physical: {
    id: 'qemu.pba-read.physical',
    title: "Otherwise it reads the function's own.",
    source: 'vfio_msix_setup, QEMU 2.6 and later (95239e1625)',
  },
});

/** A read of 32 bits. */
export function pbaRead(vf: VirtualFunction, vector: number): Outcome {
  if (isBeyondTable(vf, vector)) return { kind: 'errno', errno: 'EINVAL' };
  cite(vf.pbaShown ? CLAUSE.emulated : CLAUSE.physical);
  const first = vector - (vector % 32);
  let value = 0;
  for (let bit = 0; bit < 32; bit += 1) if (readsPending(vf, first + bit)) value += 2 ** bit;
  return { kind: 'value', value };
}

/** Whether the guest reads a vector's pending bit as set. Source: msix_pba_mmio_read, QEMU 7.2 and 10.0. */
export function readsPending({ pbaShown, pba, device }: VirtualFunction, vector: number): boolean {
  return pbaShown ? pba.has(vector) : device.isPending(vector);
}
