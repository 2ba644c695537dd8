import { cite, declare } from '../cite.ts';
import type { FunctionState } from './function.ts';

const CLAUSE = declare({
  busMasterOff: {
    id: 'pci.message.bus-master-off',
    title: 'A message of a function that may not master the bus goes nowhere, and nothing keeps it.',
    source: 'PCIe 6.0, 7.5.1.1.3 (Bus Master Enable); msi_send_message, QEMU 7.2',
  },
  address0: {
    id: 'pci.message.address-0',
    title: 'A message without an address is a stray write to bus address 0, and the event is lost.',
    source: 'msi_domain_deactivate, Linux 6.1 and 6.12; msi_send_message, QEMU 7.2',
  },
});

/** A function writes a message. Returns whether it arrives. Source: PCIe 6.0, 6.1.4. */
export function sendMessage({ busMaster }: FunctionState, hasAddress: boolean): boolean {
  if (!busMaster) {
    cite(CLAUSE.busMasterOff);
    return false;
  }
  if (!hasAddress) {
    cite(CLAUSE.address0);
    return false;
  }
  return true;
}
