import { cite, declare } from '../cite.ts';
import { maskEntry, unmaskEntry, writeEntryMessage } from '../pci/msix-table.ts';
import type { MsiDomain } from './msi-domain.ts';

const CLAUSE = declare({
  noVectorLeft: {
    id: 'irq.irq-action.no-vector-left',
    title: 'Requesting an MSI-X irq when the CPUs have no vector left is ENOSPC, and the Linux irq stays allocated.',
    source: 'x86_vector_activate, Linux 6.1 and 6.12',
  },
  startup: {
    id: 'irq.irq-action.startup',
    title: 'Requesting an MSI-X irq takes a CPU vector, writes the message and unmasks the entry.',
    source: 'request_irq, irq_startup, Linux 6.1 and 6.12',
  },
  shutdown: {
    id: 'irq.irq-action.shutdown',
    title:
      'Freeing an MSI-X irq masks the entry, takes its message and gives the CPU vector back; the Linux irq stays.',
    source: 'free_irq, irq_shutdown, msi_domain_deactivate, Linux 6.1 and 6.12',
  },
  msiStartup: {
    id: 'irq.irq-action.msi-startup',
    title: 'Requesting an MSI irq takes no CPU vector: it has one from its allocation on.',
    source: 'request_irq, irq_activate, Linux 6.1 and 6.12',
  },
  msiShutdown: {
    id: 'irq.irq-action.msi-shutdown',
    title: 'Freeing an MSI irq keeps its CPU vector until MSI is disabled.',
    source: 'free_irq, x86_vector_deactivate (not can_reserve), Linux 6.1 and 6.12',
  },
  msiMessage: {
    id: 'irq.irq-action.msi-message',
    title: 'MSI has one message: freeing the irq of vector 0 takes the address from all, requesting it gives it back.',
    source: 'pci_msi_domain_write_msg, msi_domain_deactivate, Linux 6.1 and 6.12',
  },
  replay: {
    id: 'irq.irq-action.replay',
    title: 'A message that came before the first handler is delivered when the handler is requested.',
    source: 'handle_edge_irq, irq_startup, check_irq_resend, Linux 6.1 and 6.12',
  },
});

/**
 * Registers a handler. Returns whether an event that was waiting arrives meanwhile.
 * Source: request_irq, Linux 6.1 and 6.12.
 */
export function requestIrq(domain: MsiDomain, vector: number): boolean | 'ENOSPC' {
  return domain.pci.msix.enable ? requestMsixIrq(domain, vector) : requestMsiIrq(domain, vector);
}

function requestMsixIrq(domain: MsiDomain, vector: number): boolean | 'ENOSPC' {
  if (domain.hostVectors.free === 0) {
    cite(CLAUSE.noVectorLeft);
    return 'ENOSPC';
  }
  cite(CLAUSE.startup);
  domain.hostVectors.free -= 1;
  domain.requested.add(vector);
  domain.messages.add(vector);
  writeEntryMessage(domain.pci, vector, true);
  return unmaskEntry(domain.pci, vector);
}

function requestMsiIrq(domain: MsiDomain, vector: number): boolean {
  const { activated, replay } = domain;
  if (!activated.has(vector)) {
    activated.add(vector);
    writeMsiMessage(domain, vector, true);
  }
  cite(CLAUSE.msiStartup);
  domain.requested.add(vector);
  if (!replay.delete(vector)) return false;
  cite(CLAUSE.replay);
  return true;
}

/** Source: free_irq, irq_shutdown_and_deactivate, Linux 6.1 and 6.12. */
export function freeIrq(domain: MsiDomain, vector: number): void {
  domain.requested.delete(vector);
  if (domain.pci.msix.enable) {
    cite(CLAUSE.shutdown);
    domain.hostVectors.free += 1;
    maskEntry(domain.pci, vector);
    domain.messages.delete(vector);
    writeEntryMessage(domain.pci, vector, false);
    return;
  }
  cite(CLAUSE.msiShutdown);
  domain.activated.delete(vector);
  writeMsiMessage(domain, vector, false);
}

function writeMsiMessage({ pci }: MsiDomain, vector: number, present: boolean): void {
  if (vector !== 0) return;
  cite(CLAUSE.msiMessage);
  if (!pci.inD3hot) pci.msi.message = present;
}
