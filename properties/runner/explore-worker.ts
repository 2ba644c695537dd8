import { answerSlices } from './explore-crew.ts';
import { exploredScope } from './explore-scopes.ts';

// A process of its own: it tries the slices of scopes that it is asked for.

answerSlices(exploredScope);
