import { cite, declare } from '../cite.ts';
import type { FunctionState } from './function.ts';
import { giveIntxUp } from './intx-pin.ts';
import { sendMessage } from './message.ts';

const CLAUSE = declare({
  enable: {
    id: 'pci.msi-capability.enable',
    title: 'Enabling MSI sets Enable and as many messages as the next power of two has.',
    source: 'msi_capability_init, Linux 6.1 and 6.12',
  },
  shutdown: {
    id: 'pci.msi-capability.shutdown',
    title: 'Disabling MSI clears Enable.',
    source: 'pci_msi_shutdown, Linux 6.1 and 6.12',
  },
  forgottenWhileOff: {
    id: 'pci.msi-capability.forgotten-while-off',
    title: 'An event while MSI is off is forgotten: the capability has no pending bits.',
    source: 'PCIe 6.0, 7.7.1 (pending bits only with per-vector masking); edu_raise_irq, QEMU 7.2',
  },
  beyondMessages: {
    id: 'pci.msi-capability.beyond-messages',
    title: 'A function has no event for a message that it was not given.',
    source: 'PCIe 6.0, 7.7.1.2 (Multiple Message Enable)',
  },
  sent: {
    id: 'pci.msi-capability.sent',
    title: 'An event while MSI is on sends its message at once.',
    source: 'PCIe 6.0, 6.1.4.3',
  },
});

/** Source: msi_capability_init, Linux 6.1 and 6.12. */
export function msiCapabilityInit(pci: FunctionState, count: number): void {
  cite(CLAUSE.enable);
  const { msi } = pci;
  msi.enable = true;
  msi.message = true;
  msi.enabledVectors = messagesFor(count);
  giveIntxUp(pci);
}

/** The next power of two: the messages a function is given for so many vectors. Source: PCIe 6.0, 7.7.1.2. */
export function messagesFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}

/** Source: pci_msi_shutdown, Linux 6.1 and 6.12. */
export function msiShutdown({ msi }: FunctionState): void {
  cite(CLAUSE.shutdown);
  msi.enable = false;
  msi.enabledVectors = 0;
}

/** The function has an event that it tells by MSI. Returns whether a message arrives. */
export function msiEvent(pci: FunctionState, vector: number): boolean {
  const { msi } = pci;
  if (!msi.enable) {
    cite(CLAUSE.forgottenWhileOff);
    return false;
  }
  if (vector >= msi.enabledVectors) {
    cite(CLAUSE.beyondMessages);
    return false;
  }
  cite(CLAUSE.sent);
  return sendMessage(pci, msi.message);
}
