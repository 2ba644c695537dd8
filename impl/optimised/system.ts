import type { System } from '#vocabulary';
import { OPERATION_KINDS, REGISTERS_MASK, VECTOR_STATE_MASK } from '#vocabulary';
import { OptimisedMachine } from './machine.ts';
import { MdevMachine } from './mdev-machine.ts';

/** The optimised implementation as a System. A mutant is given as the machine, or as the one for mdevs. */
export function optimisedSystem(
  machine: OptimisedMachine = new OptimisedMachine(),
  mdevs: MdevMachine = new MdevMachine(),
): System {
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
    run: (scenario) => (scenario.config.mdev === undefined ? machine : mdevs).run(scenario),
    close: async () => {},
  };
}
