import { describe, expect, it } from 'vitest';
import { parseOperation } from '#vocabulary';
import { glossary } from '../commands/shown.ts';
import { specify } from '../model/reference.ts';
import type { Finding } from '../properties/runner/verdict.ts';
import { CRASH, DIVERGENCE } from './fixture.ts';
import { GOLDEN_PROGRAMS, goldenFile, goldenFinding } from './golden-findings.ts';
import { reproducerC } from './reproducer.ts';

const OPTIONS = { ...glossary(), replayCommand: 'npm start -- replay finding.jsonl' };

/** The body of a step. */
function step(source: string, index: number): string {
  return new RegExp(`static void step_${index}\\(void\\)\\n\\{\\n([\\s\\S]*?)\\n\\}`).exec(source)?.[1] ?? 'none';
}

describe('the C program of a finding', () => {
  it.each(GOLDEN_PROGRAMS)('reads as it should: %s', async (name) => {
    const source = reproducerC(goldenFinding(name), {
      ...glossary(),
      replayCommand: `npm start -- replay ${goldenFile(name)}`,
    });
    await expect(source).toMatchFileSnapshot(`golden/findings/${name}.c`);
  });

  it('expects what the reference says where the system differs from it, and ends there', () => {
    const source = reproducerC(DIVERGENCE, OPTIONS);
    expect(step(source, 1)).toContain('expect(ON_THE_WAY, "result", "EINVAL", set_irqs(');
    expect(step(source, 1)).toContain('expect(AT_ISSUE, "triggers", "0-1", irqs_of(&dev0, 1));');
    expect(step(source, 2)).toContain('expect(AT_ISSUE, "signalled", "e1 +1", signalled());');
    const { judgement, ...about } = DIVERGENCE;
    const divergences = judgement.divergences.filter(({ step: at }) => at === 1);
    expect(step(reproducerC({ ...about, judgement: { ...judgement, divergences } }, OPTIONS), 2)).toBe('none');
  });

  it('expects what a promise says where the reference breaks it as well', () => {
    const source = reproducerC(goldenFinding('lost-interrupt'), OPTIONS);
    expect(step(source, 3)).toContain('expect(AT_ISSUE, "signalled", "e0 +1", signalled());');
    expect(source).toContain('raise_vector(&dev0, 0, 1);');
  });

  it.each([
    ['vfio.open', 'open_device(&dev0)'],
    ['vfio.close', 'close_device(&dev0)'],
    ['vfio.getIrqInfo MSIX', 'irq_info(&dev0, VFIO_PCI_MSIX_IRQ_INDEX, sizeof(struct vfio_irq_info), 0)'],
    ['vfio.getIrqInfo 4294967295 argsz=8 unreadable', 'irq_info(&dev0, 0xffffffffu, 8, 1)'],
    ['vfio.setIrqs ERR BOOL|TRIGGER 0+2 [0 1]', 'const __u8 data[] = { 0, 1 };'],
    ['vfio.setIrqs MSIX EVENTFD|TRIGGER 0+4 [bad -1 notEventfd 7]', '{ NOT_OPEN, -1, a_pipe, NOT_OPEN };'],
    ['vfio.setIrqs INTX NONE|UNMASK|0x40 0+1 [] argsz=16', '| 0x40, 0, 1, NULL, 0, 16, 0)'],
    ['vfio.reset', 'reset(&dev0)'],
    ['vfio.configWrite power 3', 'access_field(&dev0, capability(&dev0, PCI_CAP_ID_PM) + 4, 3, 1, 3)'],
    ['vfio.configRead busMaster', 'access_field(&dev0, PCI_COMMAND, PCI_COMMAND_MASTER, 0, 0)'],
    ['vfio.tableWrite 1 1', 'access_region(&dev0, msix_address(&dev0, PCI_MSIX_TABLE), 28, &value)'],
    ['vfio.tableRead 2', 'access_region(&dev0, msix_address(&dev0, PCI_MSIX_TABLE), 44, NULL)'],
    ['vfio.pbaRead 40', 'access_region(&dev0, msix_address(&dev0, PCI_MSIX_PBA), 4, NULL)'],
    ['vfio.mapBar', 'map_bar(&dev0)'],
    ['vfio.unmapBar', 'unmap_bar();'],
    ['vfio.writeEventfd e3', 'write_eventfd(e3);'],
    ['vfio.closeEventfd e3', 'close(e3), new_eventfd(&e3);'],
    ['device.raise 2147483648', 'raise_vector(&dev0, 0x80000000u, 1);'],
    ['device.assertIntx', 'set_intx(&dev0, 1);'],
    ['device.deassertIntx', 'set_intx(&dev0, 0);'],
    ['device.wipe', 'wipe_table(&dev0);'],
    ['host.limitVectors 3', 'ask("leave 3 interrupt vectors of this host free");'],
    ['host.failAllocation 2', 'ask("make allocation 2 of irqs from here on fail");'],
  ])('does %s in C', (line, call) => {
    const operations = [line, 'vfio.getIrqInfo MSIX'].map(parseOperation);
    const scenario = { config: DIVERGENCE.scenario.config, operations };
    const trace = specify(scenario);
    const judgement = { reference: trace, subject: trace, divergences: [], violations: [] };
    const body = step(reproducerC({ ...DIVERGENCE, scenario, judgement }, OPTIONS), 0);
    expect(body.replaceAll(/\s+/g, ' ')).toContain(call);
  });

  it.each([
    ['device 0 enable', 'MSI-X', '"on", control_of(&dev0)'],
    ['device 0 MSI-X flags', 'MSI-X flags', '"9", info_flags_of(&dev0)'],
    ['device 0 registers', 'registers', '"none", registers_of(&dev0)'],
  ])('looks at what differs: %s', (path, what, look) => {
    const { judgement } = DIVERGENCE;
    const divergences = [{ step: 1, path, expected: 'this', got: 'that' }];
    const body = step(reproducerC({ ...DIVERGENCE, judgement: { ...judgement, divergences } }, OPTIONS), 1);
    expect(body).toContain(`expect(AT_ISSUE, "${what}", ${look});`);
  });

  it('looks at every bit of a vector that differs, and at the start too', () => {
    const { judgement } = DIVERGENCE;
    const [expected, got] = ['allocated unmasked pending', 'armed address-0'];
    const divergences = [{ step: -1, path: 'device 0 vector 1', expected, got }];
    const source = reproducerC({ ...DIVERGENCE, judgement: { ...judgement, divergences } }, OPTIONS);
    const main = source.slice(source.indexOf('int main('));
    const looks = [...main.matchAll(/expect\(AT_ISSUE, "([^"]+)", "none", (\w+)\(/g)].map(([, look, by]) => [look, by]);
    expect(looks).toEqual([
      ...[
        ['irqs', 'irqs_of'],
        ['triggers', 'irqs_of'],
        ['unmasked', 'entries_of'],
        ['pending', 'pending_of'],
      ],
      ['address 0', 'entries_of'],
    ]);
  });

  it('of a scenario that held puts every answer at issue', () => {
    const held: Finding = {
      ...DIVERGENCE,
      judgement: { ...DIVERGENCE.judgement, divergences: [], violations: [] },
    };
    const source = reproducerC(held, OPTIONS);
    expect(source).not.toContain('expect(ON_THE_WAY');
    expect(source.match(/expect\(AT_ISSUE/g)).toHaveLength(5);
  });

  it('lets no name of a system end a comment or reach a terminal as a command', () => {
    const source = reproducerC({ ...CRASH, system: 'stdio:*/ int evil; /* \u001b[2J' }, OPTIONS);
    expect(source).toContain('Seen on: stdio:* / int evil; / * ␛[2J');
    expect(reproducerC({ ...CRASH, system: 'stdio:what??/' }, OPTIONS)).toContain('Seen on: stdio:what? ?/');
  });

  it('has nothing that is not used where only the start differs', () => {
    const divergences = [{ step: -1, path: 'device 0 MSI-X flags', expected: '9', got: '1' }];
    const source = reproducerC({ ...DIVERGENCE, judgement: { ...DIVERGENCE.judgement, divergences } }, OPTIONS);
    expect(source).toContain('expect(AT_ISSUE, "MSI-X flags"');
    expect(source).not.toContain('begin(');
  });

  it('is refused where it would look at nothing', () => {
    const strange = [{ step: 0, path: 'weather', expected: 'sun', got: 'rain' }];
    const differing = { ...DIVERGENCE, judgement: { ...DIVERGENCE.judgement, divergences: strange } };
    expect(() => reproducerC(differing, OPTIONS)).toThrow('what differs is nothing that a call shows: weather');
    const absent = [{ step: 0, path: 'device 9 registers', expected: '1', got: '0' }];
    const beyond = { ...DIVERGENCE, judgement: { ...DIVERGENCE.judgement, divergences: absent } };
    expect(() => reproducerC(beyond, OPTIONS)).toThrow('what differs is nothing that a call shows: device 9 registers');
    const scenario = { config: DIVERGENCE.scenario.config, operations: [parseOperation('device.arm 0 after-set')] };
    const trace = specify(scenario);
    const judgement = { reference: trace, subject: trace, divergences: [], violations: [] };
    expect(() => reproducerC({ ...DIVERGENCE, scenario, judgement }, OPTIONS)).toThrow(
      'an answer to look at, got none',
    );
  });

  it('names as many devices as the machine has', () => {
    const [device] = DIVERGENCE.scenario.config.devices;
    if (device === undefined) throw new Error('the fixture has a device');
    const config = { ...DIVERGENCE.scenario.config, devices: Array.from({ length: 8 }, () => device) };
    const scenario = { ...DIVERGENCE.scenario, config };
    expect(reproducerC({ ...DIVERGENCE, scenario }, OPTIONS)).toContain('0000:00:09.0 0000:00:0a.0 0000:00:0b.0');
  });

  it.each([
    ['lost-interrupt-guest', /^expected calls of vfio alone, got guest\.\w+ as operation \d, which needs a guest/],
    ['foreign-pasid', /^expected .*, got .*mdevs?$/],
  ] as const)('is refused for %s, in one line', (name, words) => {
    expect(() => reproducerC(goldenFinding(name), OPTIONS)).toThrow(words);
  });

  it('is refused for a promise that no single answer keeps', () => {
    const [violation] = DIVERGENCE.judgement.violations;
    if (violation === undefined) throw new Error('the fixture has a violation');
    const judgement = {
      ...DIVERGENCE.judgement,
      divergences: [],
      violations: [{ ...violation, invariant: 'no-leak' as const }],
    };
    expect(() => reproducerC({ ...DIVERGENCE, judgement }, OPTIONS)).toThrow(
      'the reference breaks the promise as well, and what no-leak asks for is not one answer of one call',
    );
  });
});
