import { answerSlices } from '../../properties/runner/explore-crew.ts';
import { exploredTwin } from './twin.ts';

// A process of its own: it tries what it is asked for on the twin of a Promela model.

answerSlices(exploredTwin);
