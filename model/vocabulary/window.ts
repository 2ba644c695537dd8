/**
 * A named moment at which an armed device may raise. Interleaving is data: the scenario says in which window, so
 * the scenario alone replays the run. A reaction opens each window at most once, the first time.
 *
 * `teardown-gap`: MSI-X or MSI has been turned off by VFIO_DEVICE_SET_IRQS (DATA_NONE, count 0), the next call is not
 * made yet.
 * `before-call`: a VMM is about to make the first call of vfio in its reaction to the guest, whose write has been done.
 * `after-set`: VFIO_DEVICE_SET_IRQS with eventfds for MSI-X has returned to a VMM, which has not gone on yet.
 */
export type Window = 'teardown-gap' | 'before-call' | 'after-set';

export const WINDOWS: readonly Window[] = ['teardown-gap', 'before-call', 'after-set'];
