import type { PciFunction } from '#vocabulary';
import type { InvariantId } from './invariants/invariant.ts';
import { DROPS, EDU, LATCHES, XHCI } from './scenarios/devices.ts';

/**
 * A promise that a real system is known to break: known history, as data. The invariant stays strict; this says where
 * it fails and why. An expectation that is no longer met fails the run, so each has a story that must show it.
 */
export interface Expectation {
  /** Null for every profile. */
  readonly profile: string | null;
  /** The only system that breaks it; null for every one. */
  readonly system: string | null;
  readonly invariant: InvariantId;
  /** The clause of the model that speaks at one of the violation's causes. */
  readonly clause: string;
  readonly source: string;
  readonly story: {
    readonly device: PciFunction;
    readonly operations: readonly string[];
  };
}

/** No device in our virtual machines is like this. */
const RAISING_MULTI_MSI: PciFunction = { msixVectors: 0, whileOff: 'latches', msiVectors: 2 };

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const SET_MSI = 'vfio.setIrqs MSI EVENTFD|TRIGGER';
const DISABLE_MSI = 'vfio.setIrqs MSI NONE|TRIGGER 0+0 []';

type Known = Omit<Expectation, 'profile' | 'system'>;

const GROWTH_BY_TEAR_DOWN: Known = {
  invariant: 'no-lost-interrupt',
  clause: 'pci.msix-message.dropped-while-off',
  source: 'the VFIO MSI-X virtualization mail of 2021; the cover letter of dynamic MSI-X for vfio-pci, 2023',
  story: {
    device: DROPS,
    operations: [`${SET} 0+1 [e0]`, 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []', 'device.raise 0', `${SET} 0+2 [e0 e1]`],
  },
};

/** MSI keeps no event, whatever the kernel does: without per-vector masking it has no pending bits. */
const NO_PENDING_BITS: Known = {
  invariant: 'no-lost-interrupt',
  clause: 'pci.msi-capability.forgotten-while-off',
  source: 'PCIe 6.0, 7.7.1; edu_raise_irq, QEMU 7.2; run on Linux 6.1.192 and 6.12.117',
  story: {
    device: EDU,
    operations: [`${SET_MSI} 0+1 [e0]`, DISABLE_MSI, 'device.raise 0', `${SET_MSI} 0+1 [e0]`],
  },
};

/** The irq of a vector that lost its trigger takes the message with it, and the event is a write to address 0. */
const WITHOUT_MESSAGE: Known = {
  invariant: 'no-lost-interrupt',
  clause: 'pci.message.address-0',
  source: 'msi_domain_deactivate, Linux 6.1 and 6.12; run on 6.1.192 and 6.12.117',
  story: {
    device: EDU,
    operations: [`${SET_MSI} 0+1 [e0]`, `${SET_MSI} 0+1 [bad]`, 'device.raise 0', `${SET_MSI} 0+1 [e0]`],
  },
};

/** The same where another vector keeps the message: it arrives, and finds no handler. */
const WITHOUT_HANDLER: Known = {
  invariant: 'no-lost-interrupt',
  clause: 'vfio.msi-handler.none',
  source: 'free_irq, Linux 6.1 and 6.12; PCIe 6.0, 7.7.1',
  story: {
    device: RAISING_MULTI_MSI,
    operations: [`${SET_MSI} 0+2 [e0 e0]`, `${SET_MSI} 1+1 [bad]`, 'device.raise 1', `${SET_MSI} 1+1 [e0]`],
  },
};

/** The same where MSI was enabled anew with fewer messages. */
const WITHOUT_ITS_MESSAGE: Known = {
  invariant: 'no-lost-interrupt',
  clause: 'pci.msi-capability.beyond-messages',
  source: 'PCIe 6.0, 7.7.1.2',
  story: {
    device: RAISING_MULTI_MSI,
    operations: [
      `${SET_MSI} 1+1 [e0]`,
      DISABLE_MSI,
      `${SET_MSI} 0+1 [e0]`,
      'device.raise 1',
      DISABLE_MSI,
      `${SET_MSI} 1+1 [e0]`,
    ],
  },
};

/** A message that waits for its first handler waits in vain when MSI is disabled instead. */
const BEFORE_THE_FIRST: Known = {
  invariant: 'no-lost-interrupt',
  clause: 'vfio.msi-handler.before-the-first',
  source: 'handle_edge_irq, pci_free_irq_vectors, Linux 6.1 and 6.12',
  story: {
    device: RAISING_MULTI_MSI,
    operations: [
      `${SET_MSI} 0+1 [e0]`,
      DISABLE_MSI,
      `${SET_MSI} 1+1 [e0]`,
      'device.raise 0',
      DISABLE_MSI,
      `${SET_MSI} 0+1 [e0]`,
    ],
  },
};

const STATIC_GROWTH: Omit<Known, 'story'> = {
  invariant: 'noresize-error-unchanged',
  clause: 'vfio.msi-trigger.block-undone',
  source:
    '63972f63a63f (vfio/pci: Remove interrupt context counter), Linux 6.5; the discussion of the dynamic MSI-X ' +
    'series, spring 2023',
};

const STATIC_MSI: Known = {
  ...STATIC_GROWTH,
  story: { device: XHCI, operations: [`${SET_MSI} 0+1 [e0]`, `${SET_MSI} 0+2 [e1 e1]`] },
};

const STATIC_MSIX: Known = {
  ...STATIC_GROWTH,
  story: { device: DROPS, operations: [`${SET} 0+1 [e0]`, `${SET} 0+2 [e1 e1]`] },
};

/** The answer to the founding question, with a VMM that grows by tear-down: it is not avoided. */
const EVENT_IN_THE_GAP: Known = {
  invariant: 'no-lost-interrupt',
  clause: 'qemu.growth.event-in-the-gap',
  source: 'vfio_msix_vector_do_use, QEMU 7.2 and 10.0; the VFIO MSI-X virtualization mail of 2021 (W1)',
  story: {
    device: DROPS,
    operations: ['guest.msixControl enable', 'device.arm 1 teardown-gap', 'guest.unmask 1'],
  },
};

/** After a growth that the host refuses nothing is set up, and a function that drops forgets what happens. */
const DEAD_AFTER_GROWTH: Known = {
  invariant: 'no-lost-interrupt',
  clause: 'pci.msix-message.dropped-while-off',
  source: 'vfio_msix_vector_do_use, QEMU 7.2 and 10.0: no roll-back (W2)',
  story: {
    device: DROPS,
    operations: [
      'guest.unmask 0',
      'guest.msixControl enable',
      'host.limitVectors 0',
      'guest.unmask 1',
      'device.raise 0',
    ],
  },
};

/** What VMMs break that grow by tear-down, whichever way they deliver. */
const GROWING: readonly Known[] = [EVENT_IN_THE_GAP, DEAD_AFTER_GROWTH];

const EVERYWHERE: readonly Known[] = [
  GROWTH_BY_TEAR_DOWN,
  NO_PENDING_BITS,
  WITHOUT_MESSAGE,
  WITHOUT_HANDLER,
  WITHOUT_ITS_MESSAGE,
  BEFORE_THE_FIRST,
];

/** Hosts on which a VMM grows by tear-down: the old one on all, the newer one where NORESIZE is set. */
const TEARING_DOWN: readonly string[] = [
  'linux-6.1+qemu-7.2',
  'linux-6.12+qemu-7.2',
  'linux-6.12-static+qemu-7.2',
  'linux-6.1+qemu-10.0',
  'linux-6.12-static+qemu-10.0',
];

function on(profile: string, known: readonly Known[]): readonly Expectation[] {
  return known.map((expectation) => ({ profile, system: null, ...expectation }));
}

/**
 * Not history of a host but a fault of two VMMs, found by this suite on its own: see reports/findings. Whoever brings
 * another QEMU with it is told.
 */
const HOLE: Known = {
  invariant: 'conformance',
  clause: 'qemu.msix-enable.hole',
  source:
    'vfio_commit_kvm_msi_virq_batch, QEMU 7.1 to 10.0 (dc580d51f7): run on 7.2.22 and 10.0.2, which crash without ' +
    'KVM and leave an irqfd of no vector behind with it',
  story: { device: LATCHES, operations: ['guest.unmask 1', 'guest.msixControl enable'] },
};

const HARMED_BY_HOLES = [
  ...['qemu-7.2', 'qemu-7.2/irqfd', 'qemu-10.0', 'qemu-10.0/irqfd'],
  ...['stack:linux-6.1+qemu-7.2', 'stack:linux-6.1+qemu-10.0'],
  ...['stack:linux-6.12+qemu-7.2', 'stack:linux-6.12+qemu-10.0'],
];

export const EXPECTATIONS: readonly Expectation[] = [
  ...on('linux-6.1', EVERYWHERE),
  ...on('linux-6.12', [...EVERYWHERE, STATIC_MSI]),
  ...on('linux-6.12-static', [...EVERYWHERE, STATIC_MSIX, STATIC_MSI]),
  ...TEARING_DOWN.flatMap((profile) => [...on(profile, GROWING), ...on(`${profile}/irqfd`, GROWING)]),
  ...HARMED_BY_HOLES.map((system): Expectation => ({ profile: null, system, ...HOLE })),
];

/** What is expected of a system on a profile. */
export function expectationsOf(profile: string, system: string): readonly Expectation[] {
  return EXPECTATIONS.filter((known) => (known.profile ?? profile) === profile && (known.system ?? system) === system);
}
