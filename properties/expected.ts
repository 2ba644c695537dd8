import type { InvariantId } from './invariants/invariant.ts';

/**
 * A promise that a real system is known to break: known history, as data. The invariant stays strict; this says
 * where it
 * fails and why. An expectation that is no longer met fails the run, so each has a story that must show it.
 */
export interface Expectation {
  readonly profile: string;
  readonly invariant: InvariantId;
  /** The clause of the model that speaks at one of the violation's causes. */
  readonly clause: string;
  readonly source: string;
  readonly story: {
    readonly whileOff: 'latches' | 'drops';
    readonly msixVectors: number;
    readonly operations: readonly string[];
  };
}

const GROWTH_BY_TEAR_DOWN: Expectation['story'] = {
  whileOff: 'drops',
  msixVectors: 10,
  operations: [
    'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]',
    'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []',
    'device.raise 0',
    'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [e0 e1]',
  ],
};

const TEAR_DOWN_SOURCE =
  'the VFIO MSI-X virtualization mail of 2021; the cover letter of dynamic MSI-X for vfio-pci, 2023';

export const EXPECTATIONS: readonly Expectation[] = [
  {
    profile: 'linux-6.1',
    invariant: 'no-lost-interrupt',
    clause: 'pci.msix-message.dropped-while-off',
    source: TEAR_DOWN_SOURCE,
    story: GROWTH_BY_TEAR_DOWN,
  },
  {
    profile: 'linux-6.12',
    invariant: 'no-lost-interrupt',
    clause: 'pci.msix-message.dropped-while-off',
    source: TEAR_DOWN_SOURCE,
    story: GROWTH_BY_TEAR_DOWN,
  },
];
