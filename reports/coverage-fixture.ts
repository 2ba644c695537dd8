import type { Coverage, WitnessCount } from '../properties/runner/verdict.ts';

/** Of a system that was not tested. */
export const NO_COVERAGE: Coverage = {
  ...{ classes: [], transitions: {}, outcomes: {}, pairs: {} },
  windows: {
    'teardown-gap': { armed: 0, opened: 0, met: 0 },
    'before-call': { armed: 0, opened: 0, met: 0 },
    'after-set': { armed: 0, opened: 0, met: 0 },
  },
};

/** A small campaign on a host, of three kinds of operations, one of which was never drawn. */
export const COVERAGE: Coverage = {
  classes: ['closed', 'MSI-X off', 'MSI-X on, some armed', 'MSI-X on, all armed'],
  transitions: {
    'vfio.setIrqs': { closed: 3, 'MSI-X off': 40, 'MSI-X on, some armed': 27 },
    'device.raise': { 'MSI-X off': 12, 'MSI-X on, all armed': 18 },
    'vfio.reset': {},
  },
  outcomes: { 'vfio.setIrqs': { ok: 51, EBADF: 3, EINVAL: 16 }, 'device.raise': { ok: 30 }, 'vfio.reset': {} },
  pairs: {
    'vfio.setIrqs': { 'vfio.setIrqs': 44, 'device.raise': 25 },
    'device.raise': { 'vfio.setIrqs': 20 },
    'vfio.reset': {},
  },
  windows: { ...NO_COVERAGE.windows, 'teardown-gap': { armed: 9, opened: 14, met: 6 } },
};

/** One that is seen often, one that is not, and one of which nobody can tell. */
export const WITNESSES: readonly WitnessCount[] = [
  { name: 'a tear-down with a raise armed in the gap', seen: 210, oneIn: 20, verdict: 'seen' },
  { name: 'SET_IRQS answers ERANGE', seen: 3, oneIn: 50, verdict: 'rare' },
  { name: 'MSI-X after INTx', seen: 0, oneIn: 700, verdict: 'few' },
];
