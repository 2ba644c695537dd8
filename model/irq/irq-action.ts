import { cite, declare } from '../cite.ts';
import { maskEntry, unmaskEntry } from '../pci/msix-table.ts';
import type { MsiDomain } from './msi-domain.ts';

const CLAUSE = declare({
  noVectorLeft: {
    id: 'irq.irq-action.no-vector-left',
    title: 'Requesting an irq when the CPUs have no vector left is ENOSPC, and the Linux irq stays allocated.',
    source: 'x86_vector_activate, Linux 6.1 and 6.12',
  },
  startup: {
    id: 'irq.irq-action.startup',
    title: 'Requesting an irq takes a CPU vector and unmasks the entry.',
    source: 'request_irq, irq_startup, Linux 6.1 and 6.12',
  },
  shutdown: {
    id: 'irq.irq-action.shutdown',
    title: 'Freeing an irq masks the entry and gives the CPU vector back; the Linux irq stays allocated.',
    source: 'free_irq, irq_shutdown, Linux 6.1 and 6.12',
  },
});

/** Registers a handler. `message`: the device had an event pending and sent it as the entry was unmasked. */
export function requestIrq(domain: MsiDomain, vector: number): { readonly message: boolean } | 'ENOSPC' {
  if (domain.hostVectors.free === 0) {
    cite(CLAUSE.noVectorLeft);
    return 'ENOSPC';
  }
  cite(CLAUSE.startup);
  domain.hostVectors.free -= 1;
  domain.requested.add(vector);
  return { message: unmaskEntry(domain.msix, vector) };
}

/** Source: free_irq, irq_shutdown, Linux 6.1 and 6.12. */
export function freeIrq(domain: MsiDomain, vector: number): void {
  cite(CLAUSE.shutdown);
  maskEntry(domain.msix, vector);
  domain.requested.delete(vector);
  domain.hostVectors.free += 1;
}
