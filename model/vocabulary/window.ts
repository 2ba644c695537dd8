/**
 * A named moment at which an armed device may raise. Interleaving is data: the scenario says in which window, so
 * the scenario alone replays the run.
 *
 * `teardown-gap`: MSI-X or MSI has been turned off by VFIO_DEVICE_SET_IRQS (DATA_NONE, count 0), the next call is not
 * made yet.
 */
export type Window = 'teardown-gap';

export const WINDOWS: readonly Window[] = ['teardown-gap'];
