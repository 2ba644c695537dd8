import type { PciFunction, VmmTraits } from './config.ts';
import type { Message } from './guest-operation.ts';
import type { OperationKind } from './operation.ts';
import type { Scenario, Trace } from './trace.ts';

/** What a system can show. The comparer compares nothing else. */
export interface Precision {
  /** The bits of a vector's state it sees: ALLOCATED, ARMED, UNMASKED, PENDING, ADDRESS_0. */
  readonly vectorState: number;
  /** Whether it sees Enable and Function Mask. */
  readonly messageControl: boolean;
  /** The bits of `registers` it sees. */
  readonly registers: number;
  /** Whether it sees a message to a guest, by where that goes. Left out where it sees each one. */
  readonly seesMessage?: (message: Message) => boolean;
}

/** What a system can be asked. Generators draw nothing else. */
export interface Support {
  readonly operations: ReadonlySet<OperationKind>;
  /** Every function there can be, or the functions there are, one entry for each; `whileOff` is as the Config says. */
  readonly functions: 'any' | readonly PciFunction[];
  /** Whether it can be a machine without interrupt remapping. */
  readonly withoutRemapping: boolean;
  /**
   * `configured`: there is a VMM where the Config says so, and it behaves as that says. `none`: there can be none.
   * Traits: there always is one, which behaves like this; what the Config says must be the same.
   */
  readonly vmm: 'configured' | 'none' | VmmTraits;
  /**
   * Enabling MSI-X over a table in which an entry is masked below one that is not kills its VMM, or leaves something
   * behind. Generators draw that rarely.
   */
  readonly harmedByHoles?: true;
  /** The most devices in one Config. */
  readonly devicesMax: number;
  /**
   * `configured`: behaves as the Config's host traits say. `own`: has a host of its own, whatever the Config says; it
   * is asked.
   */
  readonly host: 'configured' | 'own';
}

/** Anything that can be driven through a scenario. */
export interface System {
  /** The name it is called by on the command line. */
  readonly name: string;
  readonly precision: Precision;
  readonly support: Support;
  /** How many scenarios may run at once, 1 or more. */
  readonly atOnce: number;
  /**
   * Runs the scenario on a fresh machine. A crash or a hang of the system is a Trace that ends in an `unknown` outcome.
   * @throws HarnessError when the harness, and not the system, has failed.
   */
  run(scenario: Scenario): Trace | Promise<Trace>;
  /** Gives everything back. The system is not used afterwards. */
  close(): Promise<void>;
}

/** The harness failed: nothing is known about the system. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError';
}

/** Whether a system can be started here, and if not, the command that makes it ready. */
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: string; readonly command: string };

/** A system before it is started. */
export interface SystemFactory {
  readonly name: string;
  readiness(): Readiness;
  /** @throws HarnessError when it cannot be started although it was ready. */
  start(): Promise<System>;
}
