import { describe, expect, it } from 'vitest';
import type { PciFunction } from '#vocabulary';
import { COLUMNS, last } from './answer.fixture.ts';

const PIN: PciFunction = { msixVectors: 2, whileOff: 'drops', msiVectors: 1, intx: true, express: true };

const intx = (type: string, data = ''): string => `vfio.setIrqs INTX ${type}|TRIGGER 0+1 [${data}]`;
const mask = (type: string, data = ''): string => `vfio.setIrqs INTX ${type}|MASK 0+1 [${data}]`;
const unmask = (type: string, data = ''): string => `vfio.setIrqs INTX ${type}|UNMASK 0+1 [${data}]`;
const err = (type: string, data = ''): string => `vfio.setIrqs ERR ${type}|TRIGGER 0+1 [${data}]`;

const SET = intx('EVENTFD', 'e0');
const OFF = 'vfio.setIrqs INTX NONE|TRIGGER 0+0 []';
const ASSERT = 'device.assertIntx';
const DEASSERT = 'device.deassertIntx';
const ON = 'off {INTx-handler}';
const MASKED = 'off {INTx-disable INTx-handler}';
const ASSERTED = 'off {INTx-disable INTx-status INTx-handler}';

describe.each(COLUMNS)('INTx: %s', (_, host) => {
  const answer = (...lines: readonly string[]): string => last(host, PIN, ...lines);

  it('is told by GET_IRQ_INFO; so is ERR of PCI Express', () => {
    expect(answer('vfio.getIrqInfo INTX')).toBe('flags 7 count 1 | off');
    expect(answer('vfio.getIrqInfo ERR')).toBe('flags 9 count 1 | off');
  });

  it('K59, K62: a descriptor that cannot be used changes nothing', () => {
    expect(answer(intx('EVENTFD', 'bad'))).toBe('EBADF | off');
    expect(answer(intx('EVENTFD', 'notEventfd'))).toBe('EINVAL | off');
    expect(answer(SET, intx('EVENTFD', 'bad'))).toBe(`EBADF | ${ON}`);
    expect(answer(SET, intx('EVENTFD', 'bad'), ASSERT)).toBe(`ok | e0 +1 | ${ASSERTED}`);
  });

  it('K60, K61: without a trigger the handler masks all the same; UNMASK signals a trigger that came later', () => {
    const bare = intx('EVENTFD', '-1');
    expect(answer(bare)).toBe(`ok | ${ON}`);
    expect(answer(bare, ASSERT)).toBe(`ok | ${ASSERTED}`);
    expect(answer(bare, ASSERT, SET)).toBe(`ok | ${ASSERTED}`);
    expect(answer(bare, ASSERT, SET, unmask('NONE'))).toBe(`ok | e0 +1 | ${ASSERTED}`);
    expect(answer(bare, ASSERT, SET, unmask('NONE'), unmask('BOOL', '1'))).toBe(`ok | e0 +1 | ${ASSERTED}`);
  });

  it('an asserted pin is masked and signalled once, until it is deasserted and unmasked', () => {
    expect(answer(SET, ASSERT)).toBe(`ok | e0 +1 | ${ASSERTED}`);
    expect(answer(SET, ASSERT, ASSERT)).toBe(`ok | ${ASSERTED}`);
    expect(answer(SET, ASSERT, DEASSERT)).toBe(`ok | ${MASKED}`);
    expect(answer(SET, ASSERT, DEASSERT, ASSERT)).toBe(`ok | ${ASSERTED}`);
    expect(answer(SET, ASSERT, DEASSERT, unmask('NONE'))).toBe(`ok | ${ON}`);
    expect(answer(SET, ASSERT, DEASSERT, unmask('NONE'), ASSERT)).toBe(`ok | e0 +1 | ${ASSERTED}`);
    expect(answer(ASSERT, SET)).toBe(`ok | e0 +1 | ${ASSERTED}`);
    expect(answer(ASSERT)).toBe('ok | off {INTx-status}');
  });

  it('a swap keeps the mask, and -1 takes the trigger and leaves the handler', () => {
    expect(answer(SET, ASSERT, intx('EVENTFD', 'e1'))).toBe(`ok | ${ASSERTED}`);
    expect(answer(SET, ASSERT, intx('EVENTFD', 'e1'), unmask('NONE'))).toBe(`ok | e1 +1 | ${ASSERTED}`);
    expect(answer(SET, intx('EVENTFD', '-1'))).toBe(`ok | ${ON}`);
    expect(answer(SET, intx('EVENTFD', '-1'), ASSERT)).toBe(`ok | ${ASSERTED}`);
  });

  it('is turned off whole, and Interrupt Disable stays as it was', () => {
    expect(answer(OFF)).toBe('EINVAL | off');
    expect(answer(SET, OFF)).toBe('ok | off');
    expect(answer(SET, mask('NONE'), OFF)).toBe('ok | off {INTx-disable}');
    expect(answer(SET, mask('NONE'), OFF, SET)).toBe(`ok | ${ON}`);
    expect(answer(SET, 'vfio.close')).toBe('ok | off');
    expect(answer(SET, mask('NONE'), 'vfio.close')).toBe('ok | off');
  });

  it('takes a vector of the host, and gives it back', () => {
    expect(answer('host.limitVectors 0', SET)).toBe('ENOSPC | off');
    expect(answer('host.limitVectors 1', SET)).toBe(`ok | ${ON}`);
    expect(answer('host.limitVectors 1', SET, OFF, SET)).toBe(`ok | ${ON}`);
    expect(last(host, [PIN, PIN], 'host.limitVectors 1', SET, `${SET} @1`)).toBe(`ENOSPC | ${ON} / off`);
    // Interrupt Disable is as the user has it before the vector is asked for.
    const left = [SET, mask('NONE'), OFF, 'host.limitVectors 0'];
    expect(answer(...left, SET)).toBe('ENOSPC | off');
    expect(answer(...left, intx('EVENTFD', 'bad'))).toBe('EBADF | off {INTx-disable}');
  });

  it('a loopback signals and masks nothing', () => {
    expect(answer(SET, intx('NONE'))).toBe(`ok | e0 +1 | ${ON}`);
    expect(answer(SET, intx('BOOL', '1'))).toBe(`ok | e0 +1 | ${ON}`);
    expect(answer(SET, intx('BOOL', '256'))).toBe(`ok | ${ON}`);
    expect(answer(intx('EVENTFD', '-1'), intx('NONE'))).toBe(`ok | ${ON}`);
  });

  it('a count of 0 is EINVAL but to turn it off', () => {
    for (const type of ['BOOL|TRIGGER', 'EVENTFD|TRIGGER', 'NONE|MASK', 'EVENTFD|MASK', 'EVENTFD|UNMASK'])
      expect(answer(SET, `vfio.setIrqs INTX ${type} 0+0 []`), type).toBe(`EINVAL | ${ON}`);
    expect(answer('vfio.setIrqs INTX EVENTFD|TRIGGER 0+0 []')).toBe('EINVAL | off');
  });

  it('K63: one unmask eventfd, which the user writes and does not read', () => {
    const attached = [SET, unmask('EVENTFD', 'e1')];
    expect(answer(...attached)).toBe(`ok | ${ON}`);
    expect(answer(...attached, unmask('EVENTFD', 'e2'))).toBe(`EBUSY | ${ON}`);
    expect(answer(...attached, unmask('EVENTFD', 'bad'))).toBe(`EBADF | ${ON}`);
    expect(answer(...attached, ASSERT, 'vfio.writeEventfd e1')).toBe(`ok | e0 +1 | ${ASSERTED}`);
    expect(answer(...attached, ASSERT, DEASSERT, 'vfio.writeEventfd e1')).toBe(`ok | ${ON}`);
    expect(answer('vfio.writeEventfd e1')).toBe('ok | e1 +1 | off');
  });

  it('the unmask eventfd goes with -1, with INTx, and with its descriptor', () => {
    const attached = [SET, unmask('EVENTFD', 'e1')];
    expect(answer(SET, unmask('EVENTFD', '-1'))).toBe(`ok | ${ON}`);
    for (const line of [unmask('EVENTFD', '-1'), 'vfio.closeEventfd e1']) {
      expect(answer(...attached, mask('NONE'), line, 'vfio.writeEventfd e1'), line).toBe(`ok | e1 +1 | ${MASKED}`);
      expect(answer(...attached, line, unmask('EVENTFD', 'e1')), line).toBe(`ok | ${ON}`);
    }
    expect(answer(...attached, OFF, SET, 'vfio.writeEventfd e1')).toBe(`ok | e1 +1 | ${ON}`);
    expect(answer(...attached, 'vfio.closeEventfd e7', unmask('EVENTFD', 'e1'))).toBe(`EBUSY | ${ON}`);
    // A trigger of before the descriptor was closed is not heard by the eventfd that has the name now.
    const again = [intx('EVENTFD', 'e1'), 'vfio.closeEventfd e1', unmask('EVENTFD', 'e1')];
    expect(answer(...again, intx('NONE'))).toBe(`ok | ${ON}`);
  });

  it('an eventfd that unmasks two devices wakes both; one that it signals itself is seen', () => {
    const second = (line: string): string => `${line} @1`;
    const waiting = [SET, second(intx('EVENTFD', 'e1')), unmask('EVENTFD', 'e5'), second(unmask('EVENTFD', 'e5'))];
    expect(last(host, [PIN, PIN], ...waiting, ASSERT, second(ASSERT), 'vfio.writeEventfd e5')).toBe(
      `ok | e0 +1, e1 +1 | ${ASSERTED} / ${ASSERTED}`,
    );
    const one = [...waiting, ASSERT, unmask('EVENTFD', '-1')];
    expect(last(host, [PIN, PIN], ...one, 'vfio.writeEventfd e5')).toBe(`ok | ${ASSERTED} / ${ON}`);
    const own = [intx('EVENTFD', 'e5'), unmask('EVENTFD', 'e5')];
    expect(answer(...own, ASSERT)).toBe(`ok | e5 +1 | ${ASSERTED}`);
    expect(answer(...own, ASSERT, 'vfio.writeEventfd e5')).toBe(`ok | e5 +1 | ${ASSERTED}`);
  });

  it('K64: MASK by an eventfd is ENOTTY; by a BOOL of 0 it does nothing', () => {
    expect(answer(SET, mask('EVENTFD', 'e1'))).toBe(`ENOTTY | ${ON}`);
    expect(answer(SET, mask('BOOL', '0'))).toBe(`ok | ${ON}`);
    expect(answer(SET, mask('BOOL', '1'))).toBe(`ok | ${MASKED}`);
    expect(answer(SET, mask('NONE'), unmask('BOOL', '0'))).toBe(`ok | ${MASKED}`);
    expect(answer(SET, 'vfio.setIrqs INTX NONE|MASK|UNMASK 0+1 []')).toBe(`ENOTTY | ${ON}`);
  });

  it('a masked pin is not heard until it is unmasked', () => {
    const status = 'off {INTx-disable INTx-status INTx-handler}';
    expect(answer(SET, mask('NONE'), ASSERT)).toBe(`ok | ${status}`);
    expect(answer(SET, mask('NONE'), ASSERT, unmask('NONE'))).toBe(`ok | e0 +1 | ${status}`);
    expect(answer(SET, unmask('NONE'))).toBe(`ok | ${ON}`);
  });

  it('K65: while the user has Interrupt Disable set nothing is heard; clearing it unmasks whoever had masked', () => {
    const disabled = [SET, 'vfio.configWrite intxDisable 1'];
    expect(answer(...disabled)).toBe(`ok | ${MASKED}`);
    expect(answer(...disabled, 'vfio.configRead intxDisable')).toBe(`reads 1 | ${MASKED}`);
    expect(answer(...disabled, intx('NONE'))).toBe(`ok | ${MASKED}`);
    expect(answer(...disabled, ASSERT)).toBe(`ok | ${ASSERTED}`);
    expect(answer(...disabled, ASSERT, unmask('NONE'))).toBe(`ok | ${ASSERTED}`);
    expect(answer(...disabled, ASSERT, 'vfio.configWrite intxDisable 0')).toBe(`ok | e0 +1 | ${ASSERTED}`);
    expect(answer(SET, mask('NONE'), 'vfio.configWrite intxDisable 0')).toBe(`ok | ${MASKED}`);
    expect(answer(...disabled, mask('NONE'), 'vfio.configWrite intxDisable 0')).toBe(`ok | ${ON}`);
    expect(answer('vfio.configWrite intxDisable 1', SET)).toBe(`ok | ${MASKED}`);
    expect(answer('vfio.configWrite intxDisable 1', ASSERT, SET)).toBe(`ok | ${ASSERTED}`);
  });

  it('while INTx is not set up the physical bit follows', () => {
    const write = (value: number): string => `vfio.configWrite intxDisable ${value}`;
    expect(answer(write(1))).toBe('ok | off {INTx-disable}');
    expect(answer(write(1), write(0))).toBe('ok | off');
    expect(answer(write(1), 'vfio.close')).toBe('ok | off');
    expect(answer(write(1), 'vfio.close', 'vfio.open', 'vfio.configRead intxDisable')).toBe('reads 0 | off');
  });

  it('K66: MASK, UNMASK and loopback are EINVAL while it is not set up; so is everything while MSI-X is', () => {
    const msix = 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e9]';
    for (const line of [mask('NONE'), mask('EVENTFD', 'e1'), unmask('NONE'), unmask('EVENTFD', 'e1'), intx('NONE')]) {
      expect(answer(line), line).toBe('EINVAL | off');
      expect(answer(msix, line), line).toBe('EINVAL | on 0 allocated armed unmasked');
    }
    expect(answer(SET, msix)).toBe(`EINVAL | ${ON}`);
    expect(answer(SET, 'vfio.setIrqs MSI EVENTFD|TRIGGER 0+1 [e9]')).toBe(`EINVAL | ${ON}`);
  });

  it('turning MSI or MSI-X on takes the pin back, for good, also when there are too few irqs', () => {
    const msi = 'vfio.setIrqs MSI EVENTFD|TRIGGER 0+1 [e9]';
    const msix = 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [e9 e9]';
    const msiOff = 'vfio.setIrqs MSI NONE|TRIGGER 0+0 []';
    expect(answer(ASSERT, msi, msiOff)).toBe('ok | off');
    expect(answer(ASSERT, msix)).toBe('ok | on 0-1 allocated armed unmasked');
    expect(answer(msix, ASSERT)).toBe('ok | on 0-1 allocated armed unmasked');
    const disabled = [msi, 'vfio.configWrite msiEnable 0', ASSERT];
    expect(answer(...disabled)).toBe('ok | off {MSI-message INTx-status} 0 allocated armed');
    expect(answer(...disabled, 'vfio.configWrite msiEnable 1')).toBe(
      'ok | off {MSI-enable MSI-message} 0 allocated armed',
    );
    expect(answer(ASSERT, 'vfio.configWrite msiEnable 1')).toBe('ok | off {INTx-status}');
    // MSI-X is on before there are irqs, MSI is not.
    expect(answer(ASSERT, 'host.failAllocation 2', msix)).toBe('returns 1 | off');
    expect(answer(ASSERT, 'host.failAllocation 1', msix)).toBe('ENOSPC | off');
    expect(answer(ASSERT, 'host.failAllocation 1', msi)).toBe('ENOSPC | off {INTx-status}');
    expect(answer(ASSERT, 'vfio.configWrite msiEnable 0')).toBe('ok | off {INTx-status}');
  });

  it('while MSI is on the pin is not asserted; a function that is silent or has no pin asserts nothing', () => {
    const msi = 'vfio.setIrqs MSI EVENTFD|TRIGGER 0+1 [e9]';
    expect(answer(msi, ASSERT)).toBe('ok | off {MSI-enable MSI-message} 0 allocated armed');
    expect(last(host, { ...PIN, silent: true }, ASSERT)).toBe('ok | off');
    expect(last(host, { msixVectors: 2, whileOff: 'drops', msiVectors: 1 }, ASSERT, 'vfio.open')).toBe('ok | off');
  });

  it('ERR has a trigger of its own', () => {
    const req = 'vfio.setIrqs REQ NONE|TRIGGER 0+1 []';
    expect(answer(err('EVENTFD', 'e0'), err('NONE'))).toBe('ok | e0 +1 | off');
    expect(answer(err('EVENTFD', 'e0'), req)).toBe('EINVAL | off');
    expect(answer(err('EVENTFD', 'e0'), 'vfio.close', 'vfio.open', err('NONE'))).toBe('EINVAL | off');
    expect(answer('vfio.setIrqs ERR NONE|MASK 0+1 []')).toBe('ENOTTY | off');
  });
});
