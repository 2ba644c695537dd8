import { describe, expect, it } from 'vitest';
import { parseOperation, printCall, printEvent, type VmmCall } from '#vocabulary';
import { accesses, type Layout, see } from '../qemu/guest.ts';
import { isStackName, pairOf, STACK_NAMES } from './artifacts.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { findLayout } from './guest.ts';
import { Observer } from './observer.ts';
import { stackFactory } from './system.ts';

const LAYOUT: Layout = { vectors: 4, capability: 0x40, bar: 1, table: 0xe0000000, pba: 0xe0000800 };

describe('a name', () => {
  it('is that of a kernel and a QEMU', () => {
    expect(STACK_NAMES).toEqual([
      'stack:linux-6.1+qemu-7.2',
      'stack:linux-6.1+qemu-10.0',
      'stack:linux-6.12+qemu-7.2',
      'stack:linux-6.12+qemu-10.0',
    ]);
    expect(STACK_NAMES.map(pairOf)).toContainEqual({ kernel: 'linux-6.12', qemu: 'qemu-7.2' });
  });

  it.each(['stack:linux-6.1', 'linux-6.1+qemu-7.2', 'qemu-7.2'])('%s is none', (name) => {
    expect(isStackName(name)).toBe(false);
  });

  it.each(['stack:linux-5.4+qemu-7.2', 'stack:linux-6.1+qemu-9.9', 'stack:linux-6.1+qemu-7.2/irqfd'])(
    '%s is one of a pair that there is not',
    (name) => {
      expect(isStackName(name)).toBe(true);
      expect(stackFactory(name).readiness()).toMatchObject({ ready: false, reason: `there is no ${name}` });
    },
  );
});

describe('the gatekeeper', () => {
  const DISABLE = 's 33 2 0 0';

  /** The gate's lines of a reaction, with raises armed before it; what was done, in order. */
  async function reaction(lines: readonly string[], armed: readonly string[] = []): Promise<readonly string[]> {
    const done: string[] = [];
    const gatekeeper = new Gatekeeper(
      async (vector) => void done.push(`raise ${vector}`),
      (line) => void done.push(line),
    );
    gatekeeper.begin();
    for (const line of armed) {
      const operation = parseOperation(`device.arm ${line}`);
      if (operation.kind === 'device.arm') gatekeeper.arm(operation.vector, operation.window);
    }
    gatekeeper.beginReaction();
    for (const line of lines) {
      done.push(line);
      await gatekeeper.take(line);
    }
    done.push(...gatekeeper.endReaction().map((vector) => `left ${vector}`));
    const { calls, raised, messages } = gatekeeper.takeStep();
    return [
      ...done,
      ...calls.map((call: VmmCall) => printCall(call)),
      ...raised.map(printEvent),
      ...messages.map((message) => JSON.stringify(message)),
    ];
  }

  it('lets QEMU go on after the raises of each window', async () => {
    const armed = ['0 teardown-gap', '1 before-call', '2 after-set', '3 before-call'];
    expect(await reaction([DISABLE, 'a 0', 's 36 2 0 2 7 -1', 'a 0'], armed)).toEqual([
      ...[DISABLE, 'raise 1', 'raise 3', '.', 'a 0', 'raise 0', '.', 's 36 2 0 2 7 -1', '.', 'a 0', 'raise 2', '.'],
      'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []: ok',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [i0 -1]: ok',
      ...['raised 1 in before-call', 'raised 3 in before-call', 'raised 0 in teardown-gap', 'raised 2 in after-set'],
    ]);
  });

  it('opens no gap where a tear-down has failed, and a window once', async () => {
    expect(await reaction([DISABLE, 'a -22', 'z', 'a 0'], ['0 teardown-gap', '1 after-set'])).toEqual([
      ...[DISABLE, '.', 'a -22', '.', 'z', '.', 'a 0', '.', 'left 0', 'left 1'],
      ...['vfio.setIrqs MSIX NONE|TRIGGER 0+0 []: EINVAL', 'vfio.reset: ok'],
    ]);
  });

  it('names an eventfd by its first use, until it is closed', async () => {
    const lines = [
      's 36 2 3 1 9',
      'a 0',
      's 36 2 0 2 9 8',
      'a -28',
      'x 9',
      's 36 2 1 1 9',
      'a 2',
      's 36 0 0 1 5',
      'a 0',
    ];
    expect((await reaction(lines)).slice(-4)).toEqual([
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 3+1 [i3]: ok',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [i3 i1]: ENOSPC',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [i1]: returns 2',
      'vfio.setIrqs INTX EVENTFD|TRIGGER 0+1 [intx]: ok',
    ]);
  });

  it('hears nothing between two scenarios', async () => {
    const gatekeeper = new Gatekeeper(
      async () => undefined,
      () => undefined,
    );
    for (const line of ['o 9 4', DISABLE, 'a 0', 'w 0 1 4 4 9']) await gatekeeper.take(line);
    expect(gatekeeper.takeStep()).toEqual({ calls: [], raised: [], messages: [] });
    expect(gatekeeper.infoFlags).toBe(9);
  });

  it('waits for the lines that a guest has read of', async () => {
    const gatekeeper = new Gatekeeper(
      async () => undefined,
      () => undefined,
    );
    gatekeeper.begin();
    const reached = gatekeeper.reach(1);
    await gatekeeper.take('w 0 1 4 4 9');
    await reached;
    expect(gatekeeper.takeStep().messages).toEqual([{ address: 0x2004, high: 0, data: 9 }]);
    expect(gatekeeper.reach(1)).toBeUndefined();
  });

  it('refuses what it does not know', async () => {
    await expect(reaction(['q 1'])).rejects.toThrow('the gate said: q 1');
  });
});

describe('the guest', () => {
  it('finds its registers', async () => {
    const config = new Map([
      [0x34, 0x50],
      [0x50, 0x4005],
      [0x40, 0x0003_0011],
      [0x44, 1],
      [0x48, 0x801],
    ]);
    let register = 0;
    const layout = await findLayout(async (lines) =>
      lines.map((line) => {
        if (line.startsWith('outl')) register = Number(line.split(' ')[2]) & 0xff;
        return String(config.get(register) ?? 0);
      }),
    );
    expect(layout).toEqual(LAYOUT);
  });

  it.each([
    ['guest.unmask 2', 'writel 0xe000002c 0x0'],
    ['guest.readPba 3', 'readl 0xe0000800'],
    ['guest.tableRead 1 +4', 'readl 0xe0000014'],
    ['guest.tableWrite 1 +8/8 0x5 high=0x1', 'writeq 0xe0000018 0x100000005'],
    ['guest.msixControl enable', 'outl 0xcf8 0x80010840, outw 0xcfe 0x8000'],
    ['guest.configWrite +3/2 0xc0c0', 'outl 0xcf8 0x80010840, outb 0xcff 0xc0, outl 0xcf8 0x80010844, outb 0xcfc 0xc0'],
  ])('does %s by %s', (operation, lines) => {
    expect(accesses(parseOperation(operation) as never, LAYOUT).join(', ')).toBe(lines);
  });

  it('is observed beside the hardware, each change once', () => {
    const table = Buffer.alloc(64);
    for (const vector of [0, 1, 3]) table[vector * 16 + 12] = 1;
    const answers = ['0x3', '', '0xc003', table.toString('base64'), Buffer.from([8]).toString('base64')];
    const sight = see(answers, LAYOUT);
    expect(sight.told).toBe(3);
    const observer = new Observer();
    const physical = { messageControl: 0x8003, registers: 16, states: [7, 0, 0, 0] };
    const guest = { enable: true, functionMask: true };
    const changes = [
      { vector: 2, state: 4 },
      { vector: 3, state: 8 },
    ];
    const seen = { enable: true, functionMask: false, msixInfoFlags: 1, registers: 16 };
    expect(observer.observe(physical, sight, 1)).toEqual([
      { ...seen, changes: [{ vector: 0, state: 7 }], guest: { ...guest, changes } },
    ]);
    expect(observer.observe(physical, sight, 1)).toEqual([{ ...seen, changes: [], guest: { ...guest, changes: [] } }]);
  });
});
