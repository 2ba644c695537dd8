import { describe, expect, it } from 'vitest';
import { type DeviceObservation, PENDING, parseOperation, type Trace, UNMASKED, type VmmCall } from '#vocabulary';
import { resultOf } from './answers.ts';
import { messageEvents } from './messages.ts';
import { Observer } from './observer.ts';
import { isQemuName } from './system.ts';
import { traitsShown } from './vmm.ts';

describe('results', () => {
  it.each([
    [{ kind: 'ok' }, 0],
    [{ kind: 'positive', value: 3 }, 3],
    [{ kind: 'errno', errno: 'ENOSPC' }, -28],
    [{ kind: 'errno', errno: 'errno 95' }, -95],
  ] as const)('%j is %d', (outcome, result) => {
    expect(resultOf(outcome)).toBe(result);
  });
});

describe('messages', () => {
  it('are joined and counted, by upper address, address and data', () => {
    const first = { address: 8, high: 0, data: 2 };
    const second = { address: 4, high: 1, data: 1 };
    const third = { address: 4, high: 0, data: 9 };
    expect(messageEvents([second, first, third, first])).toEqual([
      { kind: 'message', device: 0, ...third, count: 1 },
      { kind: 'message', device: 0, ...first, count: 2 },
      { kind: 'message', device: 0, ...second, count: 1 },
    ]);
  });
});

describe('observations', () => {
  const physical = { enable: true, functionMask: false, msixInfoFlags: 1, registers: 0 };
  const sight = { enable: true, functionMask: false, told: 0 };
  function told(changes: DeviceObservation['changes']): readonly DeviceObservation[] {
    return [{ ...physical, changes }];
  }

  it('add up the calls of a step, and say what is another state than before', () => {
    const observer = new Observer();
    observer.take(told([{ vector: 3, state: 7 }]));
    observer.take(
      told([
        { vector: 0, state: 1 },
        { vector: 3, state: 0 },
      ]),
    );
    const [first] = observer.observe({ ...sight, states: Uint8Array.of(UNMASKED, 0) });
    expect(first?.changes).toEqual([{ vector: 0, state: 1 }]);
    expect(first?.guest?.changes).toEqual([{ vector: 0, state: UNMASKED }]);
    const [second] = observer.observe({ ...sight, states: Uint8Array.of(UNMASKED, PENDING) });
    expect([second?.changes, second?.guest?.changes]).toEqual([[], [{ vector: 1, state: PENDING }]]);
  });
});

describe('what a QEMU is', () => {
  function calls(...lines: readonly string[]): VmmCall[] {
    return lines.map((line): VmmCall => {
      const operation = parseOperation(`vfio.setIrqs ${line}`);
      if (operation.kind !== 'vfio.setIrqs') throw new Error(line);
      return { kind: 'vfio', operation, outcome: { kind: 'ok' } };
    });
  }
  function shown(enabling: readonly string[], unmasking: readonly string[]): Trace {
    const step = { outcome: { kind: 'ok' }, events: [], observation: [], clauses: [] } as const;
    return {
      initial: [],
      steps: [
        { ...step, calls: calls(...enabling) },
        { ...step, calls: calls(...unmasking) },
      ],
    };
  }
  const DOWN = 'MSIX NONE|TRIGGER 0+0 []';

  it.each([
    ['vector-0-first', [DOWN, 'MSIX EVENTFD|TRIGGER 0+1 [e0]'], [DOWN, 'MSIX EVENTFD|TRIGGER 0+3 [e0 -1 e2]']],
    ['as-irq-info-says', ['MSIX EVENTFD|TRIGGER 0+1 [-1]'], ['MSIX EVENTFD|TRIGGER 2+1 [e2]']],
    ['all-at-enable', ['MSIX EVENTFD|TRIGGER 0+4 [e0 e1 e2 e3]'], []],
  ])('%s is told by its calls', (allocation, enabling, unmasking) => {
    const intx = 'INTX NONE|TRIGGER 0+0 []';
    expect(traitsShown(shown([intx, ...enabling], unmasking), 'tcg')).toEqual({ allocation, delivery: 'userspace' });
  });

  it('that does neither is refused', () => {
    expect(() => traitsShown(shown([], []), 'kvm')).toThrow('allocates like no known one');
  });

  it.each([
    ['qemu-7.2', true],
    ['qemu-10.0/irqfd', true],
    ['qemu:/usr/bin/qemu-system-x86_64', true],
    ['qemu-6.0', false],
    ['qemu:', false],
  ])('%s is a name: %s', (name, isName) => {
    expect(isQemuName(name)).toBe(isName);
  });
});
