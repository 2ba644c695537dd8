import type { Parent, PciFunction, Scenario, System } from '#vocabulary';
import type { OptimisedMachine } from '../optimised/machine.ts';
import type { MdevMachine } from '../optimised/mdev-machine.ts';
import { optimisedSystem } from '../optimised/system.ts';

/** Scenarios within which a mutant must be found, by how hard that is by chance: easy, medium, hard. */
export const TIER_SCENARIOS = { E: 100, M: 1_000, H: 10_000 } as const;

export type Tier = keyof typeof TIER_SCENARIOS;

/** The optimised implementation with one fault that a real system has had. Without its trigger it behaves as that. */
export type Mutant = MutantFacts & MutatedMachine;

export interface MutantFacts {
  /** `S` for those of the catalogue of historic faults, `M` for those of IMS; then a number. */
  readonly id: string;
  /** What it does wrong, in one line. */
  readonly title: string;
  readonly provenance: Provenance;
  /** The promise that it breaks: an InvariantId. */
  readonly invariant: string;
  readonly tier: Tier;
  /** What a scenario must have, or the mutant survives. */
  readonly trap: string;
  /** Whether a scenario has it. Given where it is rare; without such scenarios the mutant must survive. */
  readonly hasTrap?: (scenario: Scenario) => boolean;
  readonly shortest: Shortest;
}

/** Where the fault was seen. */
export interface Provenance {
  readonly system: string;
  readonly versions: string;
  /** Commit, CVE, or where it was read. */
  readonly evidence: string;
}

/** The shortest sequence known that breaks the promise, and where. */
export interface Shortest {
  /** The name of the profile on which the mutant is looked for. */
  readonly profile: string;
  /** What mediated devices share. */
  readonly parent?: Parent;
  readonly devices: readonly PciFunction[];
  /** Operations in the notation. */
  readonly operations: readonly string[];
}

/** Which of the two machines has the fault: that of functions passed through, or that of mediated devices. */
type MutatedMachine =
  | { readonly machine: () => OptimisedMachine; readonly mdevs?: undefined }
  | { readonly mdevs: () => MdevMachine; readonly machine?: undefined };

/** The mutant as a System of its own, `mutant:ID` by name. */
export function mutantSystem({ id, machine, mdevs }: Mutant): System {
  return { ...optimisedSystem(machine?.(), mdevs?.()), name: `mutant:${id}` };
}
