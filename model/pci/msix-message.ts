import { cite, declare } from '../cite.ts';
import type { FunctionState } from './function.ts';
import { sendMessage } from './message.ts';

const CLAUSE = declare({
  beyondTable: {
    id: 'pci.msix-message.beyond-table',
    title: 'A function has no event for a vector its table does not have.',
    source: 'PCIe 6.0, 7.7.2.2 (Table Size)',
  },
  latchedWhileOff: {
    id: 'pci.msix-message.latched-while-off',
    title: 'An event while MSI-X is off sets the pending bit, in a function that latches.',
    source: 'PCIe 6.0, 6.1.4.5 leaves it to the function; msix_notify with hw/net/rocker, QEMU 7.2',
  },
  droppedWhileOff: {
    id: 'pci.msix-message.dropped-while-off',
    title: 'An event while MSI-X is off is forgotten, in a function that drops.',
    source: 'PCIe 6.0, 6.1.4.5 leaves it to the function; ivshmem_vector_notify, QEMU 7.2',
  },
  latchedWhileMasked: {
    id: 'pci.msix-message.latched-while-masked',
    title: 'An event for a masked entry sets its pending bit; further events merge into it.',
    source: 'PCIe 6.0, 6.1.4.5',
  },
  sent: {
    id: 'pci.msix-message.sent',
    title: 'An event for an unmasked entry sends its message at once.',
    source: 'PCIe 6.0, 6.1.4.3',
  },
});

/** The function has an event that it tells by MSI-X. Returns whether a message arrives. */
export function msixEvent(pci: FunctionState, vector: number): boolean {
  const { config, msix } = pci;
  if (vector >= config.msixVectors) {
    cite(CLAUSE.beyondTable);
    return false;
  }
  if (!msix.enable) return eventWhileOff(pci, vector);
  if (!msix.unmasked.has(vector)) {
    cite(CLAUSE.latchedWhileMasked);
    msix.pending.add(vector);
    return false;
  }
  cite(CLAUSE.sent);
  return sendMessage(pci, msix.messages.has(vector));
}

function eventWhileOff({ config, msix }: FunctionState, vector: number): false {
  switch (config.whileOff) {
    case 'latches':
      cite(CLAUSE.latchedWhileOff);
      msix.pending.add(vector);
      return false;
    case 'drops':
      cite(CLAUSE.droppedWhileOff);
      return false;
  }
}
