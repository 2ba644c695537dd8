import { describe, expect, it } from 'vitest';
import {
  type Config,
  type Precision,
  parseOperation,
  REGISTERS_MASK,
  type Step,
  type Trace,
  UNMASKED,
  VECTOR_STATE_MASK,
} from '#vocabulary';
import { platformOf } from '../../model/profiles.ts';
import { specify } from '../../model/reference.ts';
import { isSameRun } from './same-run.ts';

const FULL: Precision = { vectorState: VECTOR_STATE_MASK, messageControl: true, registers: REGISTERS_MASK };
const GUEST = ['guest.unmask 1', 'guest.msixControl enable', 'device.raise 1', 'guest.mask 1'];
const MDEV = [
  'guest.bindPasid 5',
  'guest.msixPerm 1 on 5',
  'guest.unmask 1',
  'guest.msixControl enable',
  'guest.submit 0 shared 5 handle=0',
];

const PASSED_THROUGH: Config = {
  ...platformOf('linux-6.12+qemu-10.0/irqfd'),
  devices: [{ msixVectors: 2, whileOff: 'latches', reset: true }],
};

const MEDIATED: Config = {
  ...platformOf('idxd-mdev+qemu-10.0/irqfd'),
  parent: { entries: 2, pasids: 4, quota: 2, handles: 'index' },
  devices: [{ msixVectors: 2, whileOff: 'drops', reset: true, mdev: { vm: 0, viommu: true } }],
};

const RUN_OF_GUEST = specify({ config: PASSED_THROUGH, operations: GUEST.map((line) => parseOperation(line)) });
const RUN_OF_MDEVS = specify({ config: MEDIATED, operations: MDEV.map((line) => parseOperation(line)) });

type Path = readonly (string | number)[];

/** Every number, truth value and word of it. */
function leavesOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, part]) => leavesOf(part, [...path, name]));
}

/** Every list with something in it, but the clauses, which are the reference's alone. */
function listsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null || path.at(-1) === 'clauses') return [];
  const own = Array.isArray(value) && value.length > 0 ? [path] : [];
  return [...own, ...Object.entries(value).flatMap(([name, part]) => listsOf(part, [...path, name]))];
}

function shortened(value: unknown): unknown {
  return (value as readonly unknown[]).slice(0, -1);
}

function otherLeaf(value: unknown): unknown {
  return typeof value === 'number' ? value ^ UNMASKED : typeof value === 'boolean' ? !value : `${value}0`;
}

/** The same with another value in one place. */
function changed(value: unknown, [name, ...rest]: Path, change: (value: unknown) => unknown): unknown {
  if (name === undefined) return change(value);
  if (Array.isArray(value)) return value.with(Number(name), changed(value[Number(name)], rest, change));
  return { ...(value as object), [name]: changed((value as Record<string, unknown>)[name], rest, change) };
}

/** Clauses are the reference's alone; a call is told without its device, and its kind follows from its other fields. */
const UNTOLD = /\.clauses\.|\.calls\.\d+\.operation\.(device|kind)$/;

/** What can be changed without anybody seeing it. */
function unseen(run: Trace, precision: Precision): readonly string[] {
  return leavesOf(run)
    .filter((path) => isSameRun(run, changed(run, path, otherLeaf) as Trace, precision))
    .map((path) => path.join('.'));
}

describe('two runs', () => {
  it.each([
    ['a guest', RUN_OF_GUEST],
    ['mdevs', RUN_OF_MDEVS],
  ])('of %s are not the same where anything differs that is told', (_, run) => {
    expect(unseen(run, FULL)).toEqual(
      leavesOf(run)
        .map((path) => path.join('.'))
        .filter((path) => UNTOLD.test(path)),
    );
  });

  it('are the same where only that differs which the subject cannot show', () => {
    const blind = unseen(RUN_OF_GUEST, { vectorState: 0, messageControl: false, registers: 0 });
    for (const field of ['enable', 'functionMask', 'registers', 'changes.0.state'])
      expect(blind).toContain(`steps.1.observation.0.${field}`);
    for (const field of ['enable', 'functionMask', 'changes.0.state'])
      expect(blind).not.toContain(`steps.1.observation.0.guest.${field}`);
  });

  it.each([
    ['a guest', RUN_OF_GUEST],
    ['mdevs', RUN_OF_MDEVS],
  ])('of %s are not the same where one has a thing more in any list', (_, run) => {
    const shorter = listsOf(run).map((path) => [path.join('.'), changed(run, path, shortened) as Trace] as const);
    expect(shorter.length).toBeGreaterThan(10);
    for (const [place, less] of shorter) {
      expect([place, isSameRun(run, less, FULL)]).toEqual([place, false]);
      expect([place, isSameRun(less, run, FULL)]).toEqual([place, false]);
    }
  });

  it('are not the same where one has less', () => {
    for (const run of [RUN_OF_GUEST, RUN_OF_MDEVS]) {
      const { steps, initialParent: _, ...rest } = run;
      const fewer = { ...run, steps: steps.slice(1) };
      const silent = { ...run, steps: steps.map(({ calls: __, ...step }): Step => step) };
      for (const less of [fewer, silent]) {
        expect(isSameRun(run, less, FULL)).toBe(false);
        expect(isSameRun(less, run, FULL)).toBe(false);
      }
      expect(isSameRun(run, { ...rest, steps }, FULL)).toBe(run === RUN_OF_GUEST);
    }
  });
});
