import type { System } from '#vocabulary';
import { OPERATION_KINDS, REGISTERS_MASK, VECTOR_STATE_MASK } from '#vocabulary';
import { OptimisedMachine } from './machine.ts';

/** The optimised implementation as a System. A mutant is given as the machine. */
export function optimisedSystem(machine: OptimisedMachine = new OptimisedMachine()): System {
  return {
    name: 'optimised',
    precision: { vectorState: VECTOR_STATE_MASK, messageControl: true, registers: REGISTERS_MASK },
    support: {
      operations: new Set(OPERATION_KINDS),
      functions: 'any',
      withoutRemapping: true,
      vmm: 'configured',
      devicesMax: 4,
      host: 'configured',
    },
    atOnce: 1,
    run: (scenario) => machine.run(scenario),
    close: async () => {},
  };
}
