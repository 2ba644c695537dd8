import { cite, declare } from '../cite.ts';
import type { FunctionState } from '../pci/function.ts';
import { giveIntxUp } from '../pci/intx-pin.ts';
import { msiCapabilityInit, msiShutdown } from '../pci/msi-capability.ts';
import { msixCapabilityInit, msixShutdown } from '../pci/msix-capability.ts';
import { writeEntryMessage } from '../pci/msix-table.ts';
import { VectorSet } from '../vector-set.ts';

const CLAUSE = declare({
  range: {
    id: 'irq.msi-domain.no-vectors-asked',
    title: 'Asking for no vectors at all is ERANGE.',
    source: '__pci_enable_msix_range, __pci_enable_msi_range, Linux 6.1 and 6.12',
  },
  notInD0: {
    id: 'irq.msi-domain.not-in-d0',
    title: 'A function that is not in D0 gets no vectors: EINVAL.',
    source: '__pci_enable_msix_range, __pci_enable_msi_range, Linux 6.1 and 6.12',
  },
  wholePrefix: {
    id: 'irq.msi-domain.whole-prefix',
    title: 'Enabling allocates a Linux irq for every vector from 0 up to the last one asked for.',
    source: 'pci_alloc_irq_vectors, Linux 6.1 and 6.12',
  },
  activatedEarly: {
    id: 'irq.msi-domain.msi-activated-early',
    title:
      'MSI vectors, which cannot be masked, take CPU vectors when they are allocated; where too few are left: ENOSPC.',
    source: 'msi_check_reservation_mode, x86_vector_activate, Linux 6.1 and 6.12',
  },
  noMultiMsi: {
    id: 'irq.msi-domain.no-multi-msi',
    title: 'Without interrupt remapping there is one MSI vector, however many were asked for.',
    source: 'pci_msi_domain_check_cap, Linux 6.1; msi_capability_init, Linux 6.2 and later',
  },
  fewer: {
    id: 'irq.msi-domain.fewer',
    title: 'Where only some vectors can be allocated the answer is how many.',
    source: '__pci_enable_msix_range, __pci_enable_msi_range, Linux 6.1 and 6.12',
  },
  noIrq: {
    id: 'irq.msi-domain.no-irq',
    title: 'Where not one Linux irq can be allocated the answer is ENOSPC.',
    source: 'msi_handle_pci_fail, Linux 6.1; __msi_domain_alloc_irqs, Linux 6.12',
  },
  addOne: {
    id: 'irq.msi-domain.add-one',
    title: 'One vector is added while MSI-X is on; other entries and Function Mask are not touched.',
    source: 'pci_msix_alloc_irq_at, Linux 6.2 and later',
  },
  freeAll: {
    id: 'irq.msi-domain.free-all',
    title: 'Freeing the vectors takes all Linux irqs back, those added later too, and turns MSI-X or MSI off.',
    source: 'pci_free_irq_vectors, Linux 6.1 and 6.12',
  },
});

/** The interrupt vectors of the host's CPUs, which every device shares. */
export interface HostVectors {
  /** How many can still be put to use; Infinity when nothing limits them. */
  free: number;
  /** Which allocation of Linux irqs from now on fails; 0 when none does. */
  failing: number;
  /** Whether a function can have more than one MSI vector. */
  readonly multiMsi: boolean;
}

/** The Linux irqs of one function's MSI-X or MSI vectors. */
export interface MsiDomain {
  readonly hostVectors: HostVectors;
  readonly pci: FunctionState;
  /** Vectors that own a Linux irq. */
  readonly allocated: VectorSet;
  /** Vectors with a handler. */
  readonly requested: VectorSet;
  /** MSI vectors whose messages the host takes: from the allocation until the first handler is freed, and again. */
  readonly activated: VectorSet;
  /** Vectors for which the kernel's copy of the message has an address. */
  readonly messages: VectorSet;
  /** MSI vectors whose message has come while they had no handler. */
  readonly replay: VectorSet;
}

/** A domain without irqs. Source: ours, the state a probed device starts in. */
export function emptyMsiDomain(pci: FunctionState, hostVectors: HostVectors, touched: VectorSet): MsiDomain {
  return {
    hostVectors,
    pci,
    allocated: new VectorSet(touched),
    requested: new VectorSet(touched),
    activated: new VectorSet(null),
    messages: new VectorSet(null),
    replay: new VectorSet(null),
  };
}

type Allocation = number | 'EINVAL' | 'ENOSPC' | 'ERANGE';

/**
 * Allocates MSI-X vectors 0 to count - 1 and turns MSI-X on. Returns 0, an errno, or how many there could have been.
 * On x86 allocating only reserves CPU vectors, so it does not run out of them: that shows when a handler is requested.
 */
export function pciAllocMsixVectors(domain: MsiDomain, count: number): Allocation {
  if (count === 0) {
    cite(CLAUSE.range);
    return 'ERANGE';
  }
  if (domain.pci.inD3hot) {
    cite(CLAUSE.notInD0);
    return 'EINVAL';
  }
  for (let vector = 0; vector < count; vector += 1) {
    if (!allocationFails(domain.hostVectors)) continue;
    // MSI-X was on by then.
    giveIntxUp(domain.pci);
    for (let had = 0; had < vector; had += 1) writeEntryMessage(domain.pci, had, false);
    return couldHave(vector);
  }
  cite(CLAUSE.wholePrefix);
  msixCapabilityInit(domain.pci);
  for (let vector = 0; vector < count; vector += 1) addVector(domain, vector);
  return 0;
}

/** The same for MSI, whose vectors are allocated all at once. */
export function pciAllocMsiVectors(domain: MsiDomain, count: number): Allocation {
  const { hostVectors } = domain;
  if (domain.pci.inD3hot) {
    cite(CLAUSE.notInD0);
    return 'EINVAL';
  }
  if (count === 0) {
    cite(CLAUSE.range);
    return 'ERANGE';
  }
  const possible = possibleMsiVectors(hostVectors, count);
  if (possible === 0) return couldHave(0);
  if (hostVectors.free < possible) {
    cite(CLAUSE.activatedEarly);
    return 'ENOSPC';
  }
  if (possible < count) {
    // Those had been allocated, and MSI was on with them.
    giveIntxUp(domain.pci);
    domain.pci.msi.message = false;
    return couldHave(possible);
  }
  cite(CLAUSE.wholePrefix);
  msiCapabilityInit(domain.pci, count);
  hostVectors.free -= count;
  for (let vector = 0; vector < count; vector += 1) {
    domain.allocated.add(vector);
    domain.activated.add(vector);
  }
  return 0;
}

/**
 * How many MSI vectors there are irqs for: all, one, or none. A failed attempt at several is followed by one at one.
 * Source: __pci_enable_msi_range, Linux 6.1 and 6.12.
 */
function possibleMsiVectors(hostVectors: HostVectors, count: number): number {
  if (count > 1 && !hostVectors.multiMsi) cite(CLAUSE.noMultiMsi);
  else if (!allocationFails(hostVectors)) return count;
  else if (count === 1) return 0;
  return allocationFails(hostVectors) ? 0 : 1;
}

function couldHave(count: number): Allocation {
  cite(count === 0 ? CLAUSE.noIrq : CLAUSE.fewer);
  return count === 0 ? 'ENOSPC' : count;
}

/** Whether this allocation is the one that fails. Source: ours, an injected fault. */
function allocationFails(hostVectors: HostVectors): boolean {
  if (hostVectors.failing === 0) return false;
  hostVectors.failing -= 1;
  return hostVectors.failing === 0;
}

/** Source: pci_msix_alloc_irq_at, Linux 6.2 and later. */
export function pciMsixAllocIrqAt(domain: MsiDomain, vector: number): 0 | 'ENOSPC' {
  if (allocationFails(domain.hostVectors)) {
    cite(CLAUSE.noIrq);
    return 'ENOSPC';
  }
  cite(CLAUSE.addOne);
  addVector(domain, vector);
  return 0;
}

/**
 * An MSI-X vector gets its irq, and its entry a message that leads nowhere yet.
 * Source: __msi_domain_alloc_irqs (MSI_FLAG_ACTIVATE_EARLY), Linux 6.1 and 6.12.
 */
function addVector(domain: MsiDomain, vector: number): void {
  domain.allocated.add(vector);
  domain.messages.add(vector);
  writeEntryMessage(domain.pci, vector, true);
}

/** Source: pci_free_irq_vectors, Linux 6.1 and 6.12. */
export function pciFreeIrqVectors(domain: MsiDomain): void {
  cite(CLAUSE.freeAll);
  const { pci, hostVectors, activated, messages } = domain;
  if (pci.msix.enable) {
    msixShutdown(pci);
    for (let vector = messages.next(0); vector !== -1; vector = messages.next(vector + 1))
      writeEntryMessage(pci, vector, false);
  } else {
    msiShutdown(pci);
    if (!pci.inD3hot && activated.has(0)) pci.msi.message = false;
    hostVectors.free += domain.allocated.size;
  }
  messages.clear();
  activated.clear();
  domain.replay.clear();
  domain.allocated.clear();
}
