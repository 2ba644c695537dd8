/** Who may import what. The first row whose pattern fits a file decides. */
export interface ImportRow {
  readonly from: RegExp;
  /** `a/` and `a:` allow what begins so, anything else is exact, `*` is all but vitest. */
  readonly may: readonly string[];
  /** Allowed to `import type` only. */
  readonly mayType?: readonly string[];
  readonly reason: string;
}

const RUNNER = [
  ...['#vocabulary', 'properties/runner/', 'properties/invariants/', 'properties/generators/', 'properties/witnesses/'],
  ...['properties/expected.ts', 'model/reference.ts', 'model/profiles.ts', 'model/clauses.ts'],
];
/** A machine of the model that is moved on, saved and put back, and its state as words. */
const STATES = [
  ...['model/machine.ts', 'model/machine-saved.ts', 'model/machine-words.ts'],
  ...['model/mdev-machine.ts', 'model/mdev-saved.ts', 'model/words.ts'],
];
const MINIMISER = ['#vocabulary', 'properties/minimiser/', 'properties/generators/'];
const SHARED_BY_LAYERS = ['#vocabulary', 'model/added.ts', 'model/cite.ts', 'model/vector-set.ts'];
const VERDICTS = ['properties/runner/verdict.ts', 'properties/invariants/invariant.ts'];

export const IMPORTS: readonly ImportRow[] = [
  {
    from: /\.test\.ts$|^(model|properties)\/.*\.fixture\.ts$|^\.ci\//,
    may: ['*', 'vitest', 'vitest/config', 'vitest/node'],
    reason: 'tests may look at everything',
  },
  {
    from: /^conformance\.ts$/,
    may: ['*', 'vitest'],
    reason: 'the other way in: what the command line does, told by the tests of somebody else',
  },
  {
    from: /^(cli|commands\/.*)\.ts$/,
    may: ['*'],
    reason: 'the command line is the one place that knows all rooms',
  },
  {
    from: /^model\/vocabulary\//,
    may: ['model/vocabulary/'],
    reason: 'words depend on nothing, so anyone can use them',
  },
  {
    from: /^model\/(added|cite|vector-set)\.ts$/,
    may: ['#vocabulary'],
    mayType: ['model/words.ts'],
    reason: 'what all layers share lies below them',
  },
  {
    from: /^model\/vector-map\.ts$/,
    may: ['model/vector-set.ts'],
    reason: 'it knows which vectors there is something of as a set of vectors does',
  },
  {
    from: /^model\/eventfd-map\.ts$/,
    may: ['#vocabulary'],
    reason: 'it knows how eventfds are named, and nothing of what there is of them',
  },
  {
    from: /^model\/pci\//,
    may: [...SHARED_BY_LAYERS, 'model/pci/'],
    reason: 'the function is the lowest layer: calls go down, interrupts come back as values',
  },
  {
    from: /^model\/irq\//,
    may: [...SHARED_BY_LAYERS, 'model/irq/', 'model/pci/'],
    reason: 'the irq domain programs the function and knows nothing of VFIO',
  },
  {
    from: /^model\/vfio\//,
    may: [
      ...[...SHARED_BY_LAYERS, 'model/eventfd-map.ts', 'model/vector-map.ts'],
      ...['model/vfio/', 'model/irq/', 'model/pci/'],
    ],
    reason: 'VFIO calls the layers below it and needs no npm package and no Node',
  },
  {
    from: /^model\/qemu\//,
    may: [...SHARED_BY_LAYERS, 'model/vector-map.ts', 'model/qemu/', 'model/vfio/'],
    reason: 'a VMM is a user of vfio: it sees nothing below the ioctls but where it shows it to the guest',
  },
  {
    from: /^model\/ims\//,
    may: [...SHARED_BY_LAYERS, 'model/ims/', 'model/vfio/'],
    reason: 'an mdev driver has what every vfio driver has, and the hardware of its parent below it',
  },
  {
    from: /^model\/(words|put-back)\.ts$/,
    may: ['#vocabulary'],
    mayType: ['model/vfio/eventfd.ts'],
    reason: 'how a state is told and put back, whatever it is a state of',
  },
  {
    from: /^model\/(machine(-saved|-words)?|mdev-(machine|saved)|observed|reference|profiles|clauses)\.ts$/,
    may: ['#vocabulary', 'model/'],
    reason: 'the machine joins the layers; the model knows no other room',
  },
  {
    from: /^impl\/optimised\//,
    may: ['#vocabulary', 'impl/optimised/'],
    reason: 'agreement means something only if it shares nothing with the rules of the model',
  },
  {
    from: /^impl\/mutants\//,
    may: ['#vocabulary', 'impl/mutants/', 'impl/optimised/'],
    reason: 'a mutant is the optimised implementation with one fault',
  },
  {
    from: /^impl\/raises\.ts$/,
    may: ['#vocabulary'],
    reason: 'what a scenario says about raises is known without a system',
  },
  {
    from: /^impl\/stdio\/loopback\.ts$/,
    may: ['impl/stdio/server.ts', 'impl/optimised/system.ts'],
    reason: 'the one harness of ours that is no program of its own',
  },
  {
    from: /^impl\/(linux|qemu|stack|stdio)\//,
    may: [...['#vocabulary', 'impl/raises.ts', 'impl/linux/', 'impl/qemu/', 'impl/stack/', 'impl/stdio/', 'node:']],
    reason: 'an adapter translates; it must not see the right answers',
  },
  {
    from: /^impl\/(index|install)\.ts$/,
    may: ['#vocabulary', 'impl/', 'model/reference.ts', 'model/machine.ts', 'node:'],
    reason: 'the list of systems knows every system, and the model is one, also below a real VMM',
  },
  {
    from: /^properties\/generators\//,
    may: ['#vocabulary', 'properties/generators/', 'fast-check'],
    reason: 'what is asked must not depend on what is answered',
  },
  {
    from: /^properties\/(invariants|witnesses)\//,
    may: ['#vocabulary', 'properties/invariants/', 'properties/witnesses/'],
    reason: 'an invariant sees steps only, so that it can judge a saved run of a real kernel',
  },
  {
    from: /^properties\/expected\.ts$/,
    may: ['#vocabulary', 'properties/invariants/', 'properties/scenarios/devices.ts'],
    reason: 'what is expected to fail is a table of profiles, invariants and clauses',
  },
  {
    from: /^properties\/runner\/(explore-crew|explore-worker|explored-[\w-]+)\.ts$/,
    may: [...RUNNER, ...STATES, 'node:'],
    reason: 'to try several operations in one state needs the machine itself; a worker is a process of its own',
  },
  {
    from: /^properties\/scenarios\//,
    may: ['#vocabulary', 'properties/scenarios/', 'model/profiles.ts'],
    reason: 'a story is data on a named profile',
  },
  {
    from: /^properties\/minimiser\/model-state\.ts$/,
    may: [
      ...['#vocabulary', 'model/machine.ts', 'model/mdev-machine.ts', 'model/eventfd-map.ts', 'model/vector-map.ts'],
      'properties/runner/compare.ts',
    ],
    reason: 'what a scenario leaves behind is the state of the model, and where the system differed from it',
  },
  {
    from: /^properties\/minimiser\/(planted|shrink-bench)\.ts$/,
    may: [...MINIMISER, 'model/reference.ts', 'model/profiles.ts', 'fast-check'],
    reason: 'the shrink benchmark draws, and plants its faults in what the model says',
  },
  {
    from: /^properties\/minimiser\//,
    may: MINIMISER,
    reason: 'what fails is a function that is given: the minimiser knows scenarios, and nobody who runs them',
  },
  {
    from: /^properties\/runner\/(mutant-(hunts|worker)|campaign-worker|worker-process|crew)\.ts$/,
    may: [...RUNNER, 'impl/mutants/', 'impl/index.ts', 'node:child_process', 'node:os', 'node:timers/promises'],
    reason: 'a worker is a process of its own, and makes its system itself',
  },
  {
    from: /^properties\/runner\/(campaign|shortest|block|mutants|detection-cost)\.ts$/,
    may: [...RUNNER, 'properties/minimiser/', 'fast-check', 'node:crypto', 'node:timers/promises'],
    reason: 'a system is an argument of the runner; only the campaign draws',
  },
  {
    from: /^properties\/runner\/[\w-]*(record|summary)[\w-]*\.ts$/,
    may: [...RUNNER, 'zod', 'node:'],
    reason: 'only what reads and writes records checks foreign data and touches files',
  },
  {
    from: /^properties\/runner\//,
    may: RUNNER,
    reason: 'a system is an argument of the runner, and a report its reader',
  },
  {
    from: /^reports\/bench\//,
    may: ['*', 'fast-check', 'mnemonist', 'typedfastbitset'],
    reason: 'what is measured may be anything, and so may the peers it is measured against',
  },
  {
    from: /^reports\/(html|write|recorded)\.ts$/,
    may: ['#vocabulary', 'reports/', 'properties/runner/record.ts', 'node:'],
    mayType: VERDICTS,
    reason: 'a report is made from a record; only these three touch files',
  },
  {
    from: /^reports\/(read-[a-z]+|run-reports)\.ts$/,
    may: ['#vocabulary', 'reports/', 'properties/runner/record.ts', 'zod', 'node:path'],
    mayType: VERDICTS,
    reason: 'a run ends in files of every kind, and they are read again',
  },
  {
    from: /^reports\/merge\.ts$/,
    may: ['reports/', ...['coverage', 'kept', 'witnessed'].map((name) => `properties/runner/${name}.ts`)],
    mayType: VERDICTS,
    reason: 'how counts add up is known to who makes them',
  },
  {
    from: /^reports\/golden-findings\.ts$/,
    may: ['reports/', 'properties/runner/record.ts', 'node:'],
    mayType: VERDICTS,
    reason: 'findings that are kept are read as any record is',
  },
  {
    from: /^reports\//,
    may: ['#vocabulary', 'reports/'],
    mayType: VERDICTS,
    reason: 'a report is a pure function of a record, which it knows by its types',
  },
];
