import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, type EventfdName, HarnessError, parseOperation } from '#vocabulary';
import { act, initial, observe } from '../../model/machine.ts';
import { restoreMachine, type SavedMachine, saveMachine } from '../../model/machine-saved.ts';
import { putMachine } from '../../model/machine-words.ts';
import { platformOf } from '../../model/profiles.ts';
import { explore, type Reach, type Stepped, type Subject } from '../../properties/runner/explore.ts';
import { type Alphabet, alphabetFrom } from '../../properties/runner/explore-alphabet.ts';
import {
  type Explored,
  exploreTogether,
  type SliceWorker,
  sliceWorkers,
} from '../../properties/runner/explore-crew.ts';

// One configuration explored by the suite and by Spin, which has a model of its own that says the same.

/** How many there are, and how long that took. */
export interface TwinCount {
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
}

/** The Promela model. */
const MODEL = join(import.meta.dirname, 'msix.pml');
const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';

/** Whether Spin, a compiler and the model are there. */
export function canSpin(): boolean {
  return existsSync(MODEL) && ['spin', 'gcc'].every(isProgram);
}

function isProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)));
}

/**
 * The reference model of the configuration, whose states are the machine's alone: no promise is judged.
 * @param vectors 2 to 7: with one, a range is a single vector; the Promela model has words for seven
 */
export function exploreTwin(vectors: number): TwinCount {
  const { subject, alphabet } = exploredTwin(vectors);
  return explore(subject, alphabet, REACH);
}

/** The same together with others. */
export function exploreTwinTogether(vectors: number, workers: readonly SliceWorker<number>[]): Promise<TwinCount> {
  return exploreTogether(exploredTwin, vectors, REACH, workers);
}

/** A process for each of the other cores. */
export function twinWorkers(): readonly SliceWorker<number>[] {
  return sliceWorkers('../../reports/bench/twin-worker');
}

const REACH: Reach = { depth: 1000, states: 1_000_000 };

export function exploredTwin(vectors: number): Explored {
  return { subject: bareMachine(vectors), alphabet: twinAlphabet(vectors) };
}

function twinConfig(vectors: number): Config {
  return { ...platformOf('linux-6.12'), devices: [{ msixVectors: vectors, whileOff: 'latches' }] };
}

function twinAlphabet(vectors: number): Alphabet {
  const names = eventfdsOf(vectors);
  const words = [
    `${SET} 0+${vectors} [${names.join(' ')}]`,
    `${SET} 0+${vectors} [${[...names.slice(0, -1), 'bad'].join(' ')}]`,
    'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []',
    `vfio.setIrqs MSIX NONE|TRIGGER 0+${vectors} []`,
    ...names.flatMap((name, vector) => [
      ...[name, '-1', 'bad'].map((element) => `${SET} ${vector}+1 [${element}]`),
      `device.raise ${vector}`,
    ]),
  ];
  const config = twinConfig(vectors);
  return alphabetFrom(config, words.map(parseOperation));
}

/** One for each vector. */
function eventfdsOf(vectors: number): readonly EventfdName[] {
  return Array.from({ length: vectors }, (_, vector): EventfdName => `e${vector}`);
}

function bareMachine(vectors: number): Subject<SavedMachine> {
  const machine = initial(twinConfig(vectors));
  observe(machine);
  // The user has its eventfds from the start, as in the Promela model: to open one is no part of what is compared.
  for (const eventfd of eventfdsOf(vectors)) act(machine, { kind: 'vfio.writeEventfd', eventfd });
  return {
    promises: [],
    save: () => saveMachine(machine),
    restore: (saved) => restoreMachine(machine, saved),
    step: (operation) => {
      act(machine, operation);
      return SILENT;
    },
    tell: (fingerprint) => {
      putMachine(machine, fingerprint);
      return 1;
    },
    tries: () => true,
    opens: () => NO_WINDOWS,
  };
}

/** Nobody remembers which operations there were: where the words are the same, the state is as good as untouched. */
const SILENT: Stepped = { broken: [], still: true };
const NO_WINDOWS: ReadonlySet<never> = new Set();

/**
 * The same by Spin, without partial order reduction, as often as it is asked.
 * @throws HarnessError when Spin or the compiler fails, or Spin did not finish
 */
export async function withSpin<T>(vectors: number, use: (spin: () => TwinCount) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-spin-'));
  const run = (program: string, ...args: string[]): string => {
    try {
      return execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      throw new HarnessError(`${program}: ${error instanceof Error ? error.message : error}`);
    }
  };
  try {
    // What is written and never read is a part of the state all the same.
    run('spin', '-o2', `-DN=${vectors}`, '-a', MODEL);
    run('gcc', '-O2', '-DSAFETY', '-DNOREDUCE', '-o', 'pan', 'pan.c');
    return await use(() => countsOf(run(join(folder, 'pan'), '-m5000000', '-w22')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Spin counts its own first step, which leads into the model, as a transition. */
function countsOf(said: string): TwinCount {
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(said)?.[1];
    if (found === undefined) throw new HarnessError(`pan: expected ${pattern} in what it prints`);
    return Number(found);
  };
  if (/max search depth too small|Search not completed/.test(said)) throw new HarnessError('pan: did not finish');
  return {
    states: number(/(\d+) states, stored/),
    transitions: number(/(\d+) transitions/) - SPINS_OWN,
    seconds: number(/elapsed time ([\d.]+) seconds/),
  };
}

const SPINS_OWN = 1;
