import { describe, expect, it } from 'vitest';
import type { Config, Operation, Outcome, VfioSetIrqs } from '#vocabulary';
import { counted } from './counted.fixture.ts';
import { IMS_WORK_OPERATIONS, imsWork } from './ims-costs.ts';
import { configOf, mdevOf } from './mdev.fixture.ts';
import { MdevMachine } from './mdev-machine.ts';

const SHARE = 16;
const SIZES = [256, 65536] as const;

describe('memory', () => {
  it.each(SIZES)('is under 32 bytes for each of %i entries and 256 for each mdev', (entries) => {
    const { bytes } = imsWork(entries);
    expect(bytes).toBeLessThan(32 * entries + 256 * (entries / SHARE));
    // What an entry takes at the least: control, data, owner, and these again as they were told.
    expect(bytes).toBeGreaterThan(24 * entries);
  });
});

describe('work to be timed', () => {
  it('does what it says, however often', () => {
    const work = imsWork(256);
    for (let turn = 0; turn < 2; turn += 1) {
      work.allocateAndFree();
      work.allocateAndFreePasid();
      expect(work.check()).toBe(IMS_WORK_OPERATIONS / 2);
      work.freeAndBind();
      expect(work.translate()).toBe(IMS_WORK_OPERATIONS);
    }
  });
});

/**
 * A machine on which all mdevs but the last have all their entries from the start. It tells how many elements of the
 * columns each operation touches, with what is observed after it.
 */
class CountingMachine extends MdevMachine {
  /** One number for each operation but the last. */
  readonly counts: number[] = [];
  #touched = counted({});

  protected override start(config: Config): void {
    super.start(config);
    for (let device = 0; device < config.devices.length - 1; device += 1) this.setMdevIrqs(device, setAll(device));
    this.#touched = counted({ tables: [this.ims, this.pasids, this.mdevs, this.vectors] });
  }

  protected override answer(operation: Operation): Outcome {
    this.counts.push(this.#touched());
    return super.answer(operation);
  }
}

function nearlyFull(entries: number): Config {
  const devices = Array.from({ length: entries / SHARE }, (_, vm) => mdevOf(vm, true, SHARE + 1));
  const parent = { entries, pasids: entries, quota: SHARE, handles: 'requested' as const };
  return configOf({ permSync: 'immediate' }, { devices, parent });
}

function setAll(device: number): VfioSetIrqs {
  const data = Array.from({ length: SHARE + 1 }, (_, vector) => `e${vector}` as const);
  return { kind: 'vfio.setIrqs', device, flags: 36, index: 2, start: 0, count: SHARE + 1, data };
}

/** The steps of a life of a vector on the last mdev. The last operation does nothing. */
function lastOperations(entries: number): readonly Operation[] {
  const device = entries / SHARE - 1;
  const perm = { kind: 'guest.msixPerm', device, vector: 3, pasidEnable: true, pasid: 9, ignore: false } as const;
  const submit = { kind: 'guest.submit', device, descriptor: 0, queue: 'shared', pasid: 9 } as const;
  return [
    setAll(device),
    { kind: 'guest.bindPasid', device, pasid: 9 },
    perm,
    { kind: 'guest.unmask', device, vector: 3 },
    { kind: 'guest.requestHandle', device, vector: 3 },
    { ...submit, handle: entries - SHARE + 2 },
    { kind: 'device.start', descriptor: 0 },
    { kind: 'device.complete', descriptor: 0 },
    { kind: 'guest.freePasid', device, pasid: 9 },
    { kind: 'vfio.reset', device },
    { kind: 'vfio.close', device },
    { kind: 'host.crash', vm: device },
    { kind: 'host.crash', vm: device + 1 },
  ];
}

describe('the cost of a step', () => {
  it('does not grow with the numbers of entries and mdevs', () => {
    const [small, large] = SIZES.map((entries) => {
      const machine = new CountingMachine();
      const { steps } = machine.run({ config: nearlyFull(entries), operations: lastOperations(entries) });
      expect(steps.map(({ outcome }) => outcome.kind)).toEqual(steps.map((_, place) => (place === 4 ? 'value' : 'ok')));
      expect(steps[7]?.events.map(({ kind }) => kind)).toEqual(['completed', 'signalled']);
      // Before the first operation, all mdevs are observed for the first time.
      return machine.counts.slice(1);
    });
    for (const [place, touched] of (large ?? []).entries()) {
      const before = small?.[place] ?? 0;
      expect(before).toBeGreaterThan(0);
      // Where the numbers lie in their words differs.
      expect(touched, `operation ${place}`).toBeLessThanOrEqual(before * 1.1 + 20);
    }
  });
});
