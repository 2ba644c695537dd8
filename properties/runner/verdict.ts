import type { HostTraits, OperationKind, Scenario, Trace, Window } from '#vocabulary';
import type { InvariantId, Violation } from '../invariants/invariant.ts';
import type { StateClass } from './state-class.ts';

/** A place at which the subject did not answer as the reference did. */
export interface Divergence {
  /** Index of the operation; -1 for the state before the first. */
  readonly step: number;
  /** What differs: `outcome`, `events`, `device 0 enable`, `device 0 vector 3`. */
  readonly path: string;
  /** The reference's answer in words. */
  readonly expected: string;
  /** The subject's answer in words. */
  readonly got: string;
}

/** A violation with the expectation it fulfils: the clause that explains it, or null when nobody expects it. */
export interface JudgedViolation extends Violation {
  readonly expectedBy: string | null;
}

/** What came of one scenario on a subject, with the reference beside it. */
export interface Judgement {
  readonly reference: Trace;
  readonly subject: Trace;
  readonly divergences: readonly Divergence[];
  /** Of the subject's steps. */
  readonly violations: readonly JudgedViolation[];
}

/** A shrunk scenario in which something did not hold, with everything needed to judge it again. */
export interface Finding {
  /** Eight hexadecimal digits of what was found and where; also the name of its file. */
  readonly id: string;
  /** `expected`: a violation that the expectation table names. */
  readonly verdict: 'divergence' | 'violation' | 'unknown' | 'expected';
  readonly system: string;
  /** The profile that says what is expected. */
  readonly profile: string;
  /**
   * The profile the subject itself behaves by; other than `profile` when they were set against each other on purpose.
   */
  readonly subjectProfile: string;
  /** Provenance only: the scenario below is what replays. */
  readonly seed: number;
  /**
   * The place of the scenario in which it was found among all that the campaign draws, from 0. Left out where none was
   * drawn: of a story, and of what was found otherwise.
   */
  readonly drawn?: number;
  readonly scenario: Scenario;
  readonly judgement: Judgement;
  /** What is known of its length, in words that go on `shortest:`. Left out where nobody has tried to shorten it. */
  readonly shortest?: string;
}

/** One system under one profile, after its campaign. */
export interface CampaignResult {
  readonly system: string;
  readonly profile: string;
  readonly verdict: 'pass' | 'fail' | 'skipped' | 'errored';
  /**
   * Why it was skipped, or what the harness said when it failed; for a skipped system the command that makes it ready
   * is the last part. For one that passed or failed: how many scenarios it left at what it does not do.
   */
  readonly reason?: string;
  /** Of shards that were added up: those that are not there, `shard 2 of 3 of seed 5`. Left out where all are. */
  readonly missing?: readonly string[];
  /** How the system itself behaves, where it was asked, and the profile of such a host, if one has that. */
  readonly probed?: { readonly host: HostTraits; readonly profile: string | null };
  readonly scenarios: number;
  readonly operations: number;
  readonly seconds: number;
  /** Scenarios in which the subject and the reference differed. */
  readonly divergences: number;
  readonly violations: readonly ViolationCount[];
  readonly findings: readonly Finding[];
  /** How many scenarios reached a clause, by its id; clauses not reached are left out. */
  readonly clauses: Readonly<Record<string, number>>;
  readonly coverage: Coverage;
  /** What must be seen now and then on the profile; empty for a system that has only certain functions. */
  readonly witnesses: readonly WitnessCount[];
}

/** Something that was looked for in every scenario. */
export interface WitnessCount {
  readonly name: string;
  /** Scenarios in which it was seen. */
  readonly seen: number;
  /** It must be seen in one scenario of so many. */
  readonly oneIn: number;
  /** `few`: too few scenarios to tell. A generator that shows it rarely is weak; the system is not judged by it. */
  readonly verdict: 'seen' | 'rare' | 'few';
}

/** Steps of the reference by a name; a name that was not met is left out. */
export type Counts<Name extends string = string> = Readonly<Partial<Record<Name, number>>>;

/** One row for each kind that the system can be asked on the platform; an empty one for a kind that was not drawn. */
export type ByKind<Row> = Readonly<Partial<Record<OperationKind, Row>>>;

/** What a campaign has tried on the reference. Everything is a count, so that shards add up. */
export interface Coverage {
  /** The state classes that there are on the platform; empty for a system that was not tested. */
  readonly classes: readonly StateClass[];
  /** Operations by kind and by the state class that their device was in before. */
  readonly transitions: ByKind<Counts<StateClass>>;
  /** Answers by kind: `ok`, the name of an errno, `positive`, `status 0x41`, `unknown`. */
  readonly outcomes: ByKind<Counts>;
  /** Operations by the kind of the one before in the same scenario, and by their own. */
  readonly pairs: ByKind<Counts<OperationKind>>;
  readonly windows: Readonly<Record<Window, WindowCounts>>;
}

/** What became of one window. */
export interface WindowCounts {
  /** Raises, and descriptors of an mdev, that were armed for it. */
  readonly armed: number;
  /** Steps in which it opened. */
  readonly opened: number;
  /** Those of `armed` that came in it. */
  readonly met: number;
}

/** Violations of one invariant for one reason. */
export interface ViolationCount {
  readonly invariant: InvariantId;
  /** The clause by which it is expected, or null. */
  readonly clause: string | null;
  /** Scenarios in which it showed. An expected one with 0 no longer occurs, which fails the run too. */
  readonly count: number;
  /** Ids of its findings. */
  readonly findings: readonly string[];
}

/** A part of a run, `index` from 1 to `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The machine of a run. */
export interface Environment {
  /** `process.version` */
  readonly node: string;
  /** For example `linux x64`. */
  readonly platform: string;
  /** The release of the kernel that the run itself was on. */
  readonly kernel: string;
  readonly cpus: number;
}

/** A whole run of the suite, or one shard of it. */
export interface RunResult {
  readonly seed: number;
  readonly shard: Shard;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly environment: Environment;
  /** Runs the same scenarios again. */
  readonly command: string;
  /** The promises that were asked about. */
  readonly invariants: readonly InvariantId[];
  readonly results: readonly CampaignResult[];
}

/** What it costs a VMM to give a guest its vectors, one unmask after the other. */
export interface GrowthCost {
  /** A host with a VMM on top. */
  readonly profile: string;
  /** What the VMM does there, in a word or two. */
  readonly policy: 'vector 0, then tear-downs' | 'tear-downs' | 'one by one' | 'all at enable';
  /** Vectors that the guest unmasks, of the largest table there can be. */
  readonly vectors: number;
  readonly order: 'ascending' | 'descending' | 'random';
  /** Calls of VFIO_DEVICE_SET_IRQS. */
  readonly calls: number;
  /** Those that turned MSI-X off: an event in between is late, or lost. */
  readonly tearDowns: number;
  /** Eventfds in all of those calls. */
  readonly eventfds: number;
  /** Interrupts allocated on the host in the end. */
  readonly allocated: number;
}
