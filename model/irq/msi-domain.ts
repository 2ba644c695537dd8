import { cite, declare } from '../cite.ts';
import { msixCapabilityInit, msixShutdown } from '../pci/msix-capability.ts';
import type { MsixFunction } from '../pci/msix-function.ts';
import { VectorSet } from '../vector-set.ts';

const CLAUSE = declare({
  range: {
    id: 'irq.msi-domain.no-vectors-asked',
    title: 'Asking for no vectors at all is ERANGE.',
    source: '__pci_enable_msix_range, Linux 6.1 and 6.12',
  },
  wholePrefix: {
    id: 'irq.msi-domain.whole-prefix',
    title: 'Enabling allocates a Linux irq for every vector from 0 up to the last one asked for.',
    source: 'pci_alloc_irq_vectors, Linux 6.1 and 6.12',
  },
  addOne: {
    id: 'irq.msi-domain.add-one',
    title: 'One vector is added while MSI-X is on; other entries and Function Mask are not touched.',
    source: 'pci_msix_alloc_irq_at, Linux 6.2 and later',
  },
  freeAll: {
    id: 'irq.msi-domain.free-all',
    title: 'Freeing the vectors takes all Linux irqs back, those added later too, and turns MSI-X off.',
    source: 'pci_free_irq_vectors, Linux 6.1 and 6.12',
  },
});

/** The interrupt vectors of the host's CPUs, which every device shares. */
export interface HostVectors {
  /** How many can still be put to use; Infinity when nothing limits them. */
  free: number;
}

/** The Linux irqs of one function's MSI-X vectors. */
export interface MsiDomain {
  readonly hostVectors: HostVectors;
  readonly msix: MsixFunction;
  /** Vectors that own a Linux irq. */
  readonly allocated: VectorSet;
  /** Vectors with a handler. */
  readonly requested: VectorSet;
}

/** A domain without irqs. Source: ours, the state a probed device starts in. */
export function emptyMsiDomain(msix: MsixFunction, hostVectors: HostVectors, touched: Set<number>): MsiDomain {
  return { hostVectors, msix, allocated: new VectorSet(touched), requested: new VectorSet(touched) };
}

/**
 * Allocates vectors 0 to count - 1 and turns MSI-X on. On x86 allocating only reserves, so it does not run out:
 * that shows when a handler is requested (x86_vector_activate).
 */
export function pciAllocIrqVectors(domain: MsiDomain, count: number): 0 | 'ERANGE' {
  if (count === 0) {
    cite(CLAUSE.range);
    return 'ERANGE';
  }
  cite(CLAUSE.wholePrefix);
  msixCapabilityInit(domain.msix);
  for (let vector = 0; vector < count; vector += 1) domain.allocated.add(vector);
  return 0;
}

/** Source: pci_msix_alloc_irq_at, Linux 6.2 and later. */
export function pciMsixAllocIrqAt(domain: MsiDomain, vector: number): void {
  cite(CLAUSE.addOne);
  domain.allocated.add(vector);
}

/** Source: pci_free_irq_vectors, Linux 6.1 and 6.12. */
export function pciFreeIrqVectors(domain: MsiDomain): void {
  cite(CLAUSE.freeAll);
  msixShutdown(domain.msix);
  domain.allocated.clear();
}
