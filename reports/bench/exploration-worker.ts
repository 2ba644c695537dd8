import { answerQuestions } from '../../properties/runner/worker-process.ts';
import { measuredExploration } from './exploration.ts';

// A process of its own: nothing but exploring has made its code fast, or slow.

answerQuestions(measuredExploration);
