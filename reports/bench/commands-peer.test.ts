import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Operation, PciFunction, Scenario, Support, VfioSetIrqs } from '#vocabulary';
import { mutantSystem } from '../../impl/mutants/mutant.ts';
import { s08 } from '../../impl/mutants/s08-failure-undoes-the-range.ts';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { platformOf } from '../../model/profiles.ts';
import { scenarios } from '../../properties/generators/scenario.ts';
import { Ask, type Comparer, commandRuns, commandsLike } from './commands-peer.ts';
import { type Form, formsOf } from './stock-commands.ts';

const TABLE: PciFunction = { msixVectors: 8, whileOff: 'latches' };
const support: Support = { ...optimisedSystem().support, functions: [TABLE], devicesMax: 1 };
const RUNS = 1000;

const ours: readonly Scenario[] = fc.sample(scenarios(support, platformOf('linux-6.12')), { seed: 1, numRuns: RUNS });
const asked = ours.flatMap(({ operations }) => operations);
const runs = fc.sample(commandsLike(ours), { seed: 2, numRuns: RUNS });
const peers = runs.flatMap((commands) => [...commands].map(operationOf));

/** commands are wrapped by fast-check. */
function operationOf(command: unknown): Operation {
  const { cmd } = command as { readonly cmd: Ask };
  expect(cmd).toBeInstanceOf(Ask);
  return cmd.operation;
}

/** Percent of all operations, by form. */
function shares(operations: readonly Operation[]): ReadonlyMap<Form, number> {
  return new Map([...formsOf(operations)].map(([form, count]) => [form, (100 * count) / operations.length]));
}

function elementsOf(operations: readonly Operation[]): number {
  const ranges = operations.filter((one): one is VfioSetIrqs => one.kind === 'vfio.setIrqs' && one.data.length > 0);
  return ranges.reduce((sum, { data }) => sum + data.length, 0) / ranges.length;
}

it('the peer draws each form of operation as often as we do, in runs as long in the mean', () => {
  const [own, peer] = [shares(asked), shares(peers)];
  expect([...peer.keys()].sort()).toEqual([...own.keys()].sort());
  for (const [form, share] of own) expect(Math.abs((peer.get(form) ?? 0) - share), form).toBeLessThan(1);
  expect(peers.length / asked.length).toBeGreaterThan(0.95);
  expect(peers.length / asked.length).toBeLessThan(1.05);
});

it('the data of its ranges is as long in the mean', () => {
  const ratio = elementsOf(peers) / elementsOf(asked);
  expect(ratio).toBeGreaterThan(0.85);
  expect(ratio).toBeLessThan(1.15);
});

it.each<Comparer>(['node:assert', 'ours'])('compared by %s, all of it is done, and a fault is seen', (comparer) => {
  const terms = { profile: 'linux-6.12', comparer, invariants: [], like: ours.slice(0, 200) };
  expect(commandRuns({ ...terms, system: optimisedSystem() })()).toBeGreaterThan(0);
  expect(commandRuns({ ...terms, system: mutantSystem(s08) })).toThrow();
});
