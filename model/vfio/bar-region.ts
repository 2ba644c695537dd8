import type { Errno, Outcome, VfioPbaRead, VfioTableRead, VfioTableWrite } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import type { VfioDevice } from './device.ts';

const CLAUSE = declare({
  beyondTable: {
    id: 'vfio.bar-region.beyond-table',
    title: 'An entry that the table does not have is EINVAL.',
    source: 'ours: there is no place in the region to read or write',
  },
  tableRead: {
    id: 'vfio.bar-region.table-read',
    title: "A read of the MSI-X table returns bytes of 0xFF, whatever the function's state.",
    source: 'vfio_pci_core_do_io_rw, Linux 6.1 and 6.12',
  },
  tableWrite: {
    id: 'vfio.bar-region.table-write',
    title: 'A write to the MSI-X table succeeds and is dropped.',
    source: 'vfio_pci_core_do_io_rw, Linux 6.1 and 6.12',
  },
  pba: {
    id: 'vfio.bar-region.pba-read',
    title: 'The PBA reads as the function has it.',
    source: 'vfio_pci_core_do_io_rw, Linux 6.1 and 6.12',
  },
  memoryOff: {
    id: 'vfio.bar-region.memory-off',
    title: 'With memory decode off, or in D3hot, the PBA cannot be read: EIO.',
    source: '__vfio_pci_memory_enabled, vfio_pci_core_ioread32, Linux 6.1 and 6.12',
  },
});

const ALL_ONES = 0xffffffff;

/** pread(2) of an entry's Vector Control. */
export function tableRead(device: VfioDevice, { vector }: VfioTableRead): Outcome {
  if (isBeyondTable(device, vector)) return { kind: 'errno', errno: 'EINVAL' };
  cite(CLAUSE.tableRead);
  return { kind: 'value', value: ALL_ONES };
}

/** pwrite(2) of an entry's Vector Control. */
export function tableWrite(device: VfioDevice, { vector }: VfioTableWrite): 0 | Errno {
  if (isBeyondTable(device, vector)) return 'EINVAL';
  cite(CLAUSE.tableWrite);
  return 0;
}

/** pread(2) of the 32 bits of the PBA with a vector's. */
export function pbaRead(device: VfioDevice, { vector }: VfioPbaRead): Outcome {
  if (isBeyondTable(device, vector)) return { kind: 'errno', errno: 'EINVAL' };
  const { pci, virtual } = device;
  if (!virtual.memory || pci.inD3hot) {
    cite(CLAUSE.memoryOff);
    return { kind: 'errno', errno: 'EIO' };
  }
  cite(CLAUSE.pba);
  return { kind: 'value', value: pci.msix.pending.word(vector) };
}

function isBeyondTable({ config }: VfioDevice, vector: number): boolean {
  if (vector < config.msixVectors) return false;
  cite(CLAUSE.beyondTable);
  return true;
}
