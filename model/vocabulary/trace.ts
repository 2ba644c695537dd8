import type { Config } from './config.ts';
import type { Observation } from './observation.ts';
import type { Operation } from './operation.ts';
import type { ParentObservation } from './parent.ts';
import type { Event, Outcome } from './response.ts';
import type { VmmCall } from './vmm.ts';

/**
 * What to do, on which machine. Every device starts freshly opened once, MSI-X off, nothing pending, no vector limit;
 * an mdev is attached too, in the order of the Config.
 * Where a VMM has it, it is what a guest finds that has programmed `firstMessage`, all masked, and bus master on.
 */
export interface Scenario {
  readonly config: Config;
  readonly operations: readonly Operation[];
}

/** What one operation did. */
export interface Step {
  readonly outcome: Outcome;
  readonly events: readonly Event[];
  readonly observation: Observation;
  /** Left out where there are no mediated devices. */
  readonly parent?: ParentObservation;
  /** What the VMM asked of the host, in order. Left out where there is no VMM. */
  readonly calls?: readonly VmmCall[];
  /** Ids of the clauses that spoke, in order, each once. Only the reference model knows them; empty elsewhere. */
  readonly clauses: readonly string[];
}

/**
 * What a scenario did. `steps[i]` answers `operations[i]`; after an outcome `unknown`, and from an operation on that
 * was skipped, there are no more steps.
 * A Trace belongs to its System and is valid until that system's next run: who keeps it copies it.
 */
export interface Trace {
  /** Before the first operation. Empty where the system died, or declined, before anything could be seen. */
  readonly initial: Observation;
  /** The same of the parent. Left out where there are no mediated devices. */
  readonly initialParent?: ParentObservation;
  readonly steps: readonly Step[];
  /**
   * Why the steps end early: the last words of a system that crashed or hung. Left out when all operations were
   * answered.
   */
  readonly lastWords?: string;
  /** Why the steps end early: what the system says it does not do. Not an answer, and so never a wrong one. */
  readonly skipped?: string;
}
