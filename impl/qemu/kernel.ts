import type { Config, Observation, RawOperation, Step } from '#vocabulary';

/**
 * The kernel below QEMU: a machine without a VMM, driven one operation at a time. Whoever wants a QEMU of ours to run
 * says what it runs on.
 */
export interface Kernel {
  /** Forgets everything and begins anew with this machine. Returns what can be read of it at first. */
  start(config: Config): Observation;
  perform(operation: RawOperation): Step;
}
