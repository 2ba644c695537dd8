import { cite, declare } from '../cite.ts';
import type { FunctionState } from './function.ts';
import { msiEvent } from './msi-capability.ts';
import { msixEvent } from './msix-message.ts';

const CLAUSE = declare({
  silent: {
    id: 'pci.event.silent',
    title: 'A silent function has no events.',
    source: 'ours: nothing in the machine makes such a function raise',
    undrawn: 'nothing could come of it',
  },
  inD3hot: {
    id: 'pci.event.in-d3hot',
    title: 'An event in D3hot sends no message and is not kept.',
    source: 'PCIe 6.0, 5.3.1.4.1',
  },
  noCapability: {
    id: 'pci.event.no-capability',
    title: 'A function with neither MSI-X nor MSI has nothing to tell an event by.',
    source: 'PCIe 6.0, 6.1.4',
    undrawn: 'nothing could come of it',
  },
});

/** The function has an event for a vector. Returns whether a message arrives at the host. Source: PCIe 6.0, 6.1.4. */
export function raise(pci: FunctionState, vector: number): boolean {
  if (pci.config.silent === true) {
    cite(CLAUSE.silent);
    return false;
  }
  if (pci.inD3hot) {
    cite(CLAUSE.inD3hot);
    return false;
  }
  if (pci.config.msiVectors !== undefined && !pci.msix.enable && (pci.msi.enable || pci.config.msixVectors === 0))
    return msiEvent(pci, vector);
  if (pci.config.msixVectors > 0) return msixEvent(pci, vector);
  cite(CLAUSE.noCapability);
  return false;
}
