import type { System } from '#vocabulary';
import { OPERATION_KINDS, VECTOR_STATE_MASK } from '#vocabulary';
import { OptimisedMachine } from './machine.ts';

/** The optimised implementation as a System. A mutant is given as the machine. */
export function optimisedSystem(machine: OptimisedMachine = new OptimisedMachine()): System {
  return {
    name: 'optimised',
    precision: { vectorState: VECTOR_STATE_MASK, messageControl: true },
    support: {
      operations: new Set(OPERATION_KINDS),
      msixVectors: 'any',
      whileOff: ['latches', 'drops'],
      devicesMax: 4,
      host: 'configured',
    },
    run: (scenario) => machine.run(scenario),
    close: async () => {},
  };
}
