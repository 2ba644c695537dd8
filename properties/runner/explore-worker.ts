import type { Job, Told } from './explore-lanes.ts';
import { exploreScope } from './explore-scopes.ts';

// A process of its own: it is sent a scope, explores it and tells how far it has come, and at last what was found.

const tell = (told: Told): void => {
  process.send?.(told);
};

process.on('message', ({ scope, reach }: Job) => {
  tell({
    kind: 'found',
    found: exploreScope(scope, { ...reach, onProgress: (sofar) => tell({ kind: 'sofar', sofar }) }),
  });
});
