import type { Config, HostTraits, PciFunction, Step } from '#vocabulary';
import { parseOperation, printChanges, printEvent, printOutcome, printRegisters } from '#vocabulary';
import { OptimisedMachine } from './machine.ts';

// What the tests of this folder are written with.

export const A: HostTraits = { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' };
export const B: HostTraits = { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' };
export const B_STATIC: HostTraits = { ...B, dynamicMsix: false };
export const COLUMNS: readonly (readonly [string, HostTraits])[] = [
  ['6.1', A],
  ['6.12', B],
  ['6.12 without dynamic MSI-X', B_STATIC],
];

export const TEN: PciFunction = { msixVectors: 10, whileOff: 'drops' };
export const TEN_LATCHING: PciFunction = { msixVectors: 10, whileOff: 'latches' };

export const eventfds = (range: string, data: string): string => `vfio.setIrqs MSIX EVENTFD|TRIGGER ${range} [${data}]`;
export const none = (range: string): string => `vfio.setIrqs MSIX NONE|TRIGGER ${range} []`;
export const bool = (range: string, data: string): string => `vfio.setIrqs MSIX BOOL|TRIGGER ${range} [${data}]`;
export const req = (type: string, count: number, data = ''): string =>
  `vfio.setIrqs REQ ${type}|TRIGGER 0+${count} [${data}]`;

export const ON = eventfds('0+5', 'e0 e1 e2 e3 e4');
export const ON_WITHOUT_TRIGGERS = eventfds('0+5', '-1 -1 -1 -1 -1');
export const NEW_EIGHT = eventfds('0+8', 'e10 e11 e12 e13 e14 e15 e16 e17');

/** All states after some steps, as `on 0-2 allocated; 3 allocated pending` or `off {INTx-status}`, for each device. */
export function statesAfter(steps: readonly Step[]): string {
  const devices = steps.at(-1)?.observation ?? [];
  return devices
    .map((last, place) => {
      const states = new Map(steps.flatMap((step) => step.observation[place]?.changes ?? []).map((c) => [c.vector, c]));
      const changes = [...states.values()].filter((c) => c.state !== 0).sort((a, b) => a.vector - b.vector);
      const registers = last.registers === 0 ? '' : ` {${printRegisters(last.registers)}}`;
      return `${last.enable ? 'on' : 'off'}${registers} ${printChanges({ ...last, changes })}`.trimEnd();
    })
    .join(' / ');
}

/** What the last operation did: `outcome | events | on or off, registers, and every vector that is not idle`. */
export function last(
  host: HostTraits,
  devices: PciFunction | readonly PciFunction[],
  ...lines: readonly string[]
): string {
  return lastOf({ host, devices: [devices].flat() }, ...lines);
}

export function lastOf(config: Config, ...lines: readonly string[]): string {
  const { steps } = new OptimisedMachine().run({ config, operations: lines.map(parseOperation) });
  const step = steps.at(-1);
  if (step === undefined) throw new Error('no operation');
  const events = step.events.map(printEvent).join(', ');
  return [printOutcome(step.outcome), events, statesAfter(steps)].filter((part) => part !== '').join(' | ');
}
