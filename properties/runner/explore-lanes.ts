import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { HarnessError } from '#vocabulary';
import type { Exploration, Reach } from './explore.ts';
import { exploreScope, type Scope } from './explore-scopes.ts';

type Sofar = Pick<Exploration, 'states' | 'transitions' | 'depth'>;

/** What a worker is sent. */
export interface Job {
  readonly scope: Scope;
  readonly reach: Pick<Reach, 'depth' | 'states'>;
}

/** What a worker tells. */
export type Told = { readonly kind: 'sofar'; readonly sofar: Sofar } | { readonly kind: 'found'; found: Exploration };

/** The source of a worker, or what it was compiled to. */
const IS_SOURCE = import.meta.url.endsWith('.ts');
const WORKER = new URL(IS_SOURCE ? './explore-worker.ts' : './explore-worker.js', import.meta.url);

/**
 * Explores all scopes, as many at once as there are cores, and returns what was found of each in the order in which
 * they were given.
 * @throws HarnessError when a worker dies
 */
export async function explorations(
  scopes: readonly Scope[],
  reach: Reach,
  onProgress: (place: number, sofar: Sofar) => void,
): Promise<readonly Exploration[]> {
  const [only, ...others] = scopes;
  if (only !== undefined && others.length === 0)
    return [exploreScope(only, { ...reach, onProgress: (sofar) => onProgress(0, sofar) })];
  const left = [...scopes.entries()];
  const found: Exploration[] = [];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [place, scope] = next;
      found[place] = await inWorker({ scope, reach }, (sofar) => onProgress(place, sofar));
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), scopes.length) }, lane));
  return found;
}

/** A process of its own: a thread would not know how to read the source. */
function inWorker(job: Job, onProgress: (sofar: Sofar) => void): Promise<Exploration> {
  const execArgv = IS_SOURCE ? ['--import', import.meta.resolve('tsx')] : [];
  const child = fork(WORKER, { execArgv, serialization: 'advanced' });
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new HarnessError(`${job.scope.profile}: its worker ${why}`));
    child.on('message', (told: Told) => {
      if (told.kind === 'sofar') onProgress(told.sofar);
      else {
        resolve(told.found);
        child.kill();
      }
    });
    child.on('error', (error) => fail(`failed: ${error.message}`));
    child.on('exit', (code) => fail(`ended with ${code}`));
    child.send(job);
  });
}
