import { describe, expect, it } from 'vitest';
import type { MdevTraits } from '#vocabulary';
import { GUEST_LOST } from './guest-fixture.ts';
import { hostWordsUnlike, machineLines, vmmWords } from './machine.ts';
import { NOT_DRAINED, REFUSED_IN_THE_GAP } from './mdev-fixture.ts';
import { driverWords, mdevWords, parentWords } from './mdev-machine.ts';

const { config } = GUEST_LOST.scenario;
const DYNAMIC = { ...config.host, dynamicMsix: true };

describe('a machine in words', () => {
  it('has its VMM between host and devices', () => {
    expect(machineLines(config)).toEqual([
      expect.stringMatching(/^host: MSI-X fixed while on; /),
      'VMM: sets up vector 0 first and grows by tear-down; delivers in its own event loop',
      'device 0: MSI-X table of 8 vectors; drops events while MSI-X is off',
    ]);
  });

  it('says of two hosts what is not the same', () => {
    expect(hostWordsUnlike(DYNAMIC, config.host)).toBe('MSI-X grows while on');
    expect(hostWordsUnlike({ ...config.host, belowMinusOne: 'refused' }, DYNAMIC)).toBe(
      'MSI-X fixed while on; ERR and REQ eventfds below -1 refused',
    );
  });

  it('says what a VMM does on this host', () => {
    const asked = { allocation: 'as-irq-info-says', delivery: 'irqfd' } as const;
    expect(vmmWords(asked, config.host)).toBe(
      'sets up no vector first and grows by tear-down, as NORESIZE is set; lets KVM deliver',
    );
    expect(vmmWords(asked, DYNAMIC)).toBe(
      'sets up no vector first and adds each, as NORESIZE is clear; lets KVM deliver',
    );
    expect(vmmWords({ ...asked, allocation: 'all-at-enable' }, DYNAMIC)).toBe(
      'sets up the whole table when the guest enables MSI-X; lets KVM deliver',
    );
  });

  it('has the driver of its mdevs in place of the host, and what they share before them', () => {
    expect(machineLines(NOT_DRAINED.scenario.config)).toEqual([
      expect.stringMatching(/^mdev driver: MSI-X grows while on; an IMS entry for each vector that has a trigger; /),
      'parent: IMS table of 4 entries, at most 3 for an mdev; PASIDs 1 to 8; descriptors may name any entry',
      'device 0: mdev of VM 0, which has a virtual IOMMU; 3 vectors, all but the first on IMS entries',
      'device 1: mdev of VM 1, without virtual IOMMU; 3 vectors, all but the first on IMS entries',
    ]);
    const labels = machineLines(REFUSED_IN_THE_GAP.scenario.config).map((line) => line.split(':')[0]);
    expect(labels).toEqual(['mdev driver', 'VMM', 'parent', 'device 0']);
  });

  it('says what a driver of mdevs does', () => {
    const driver: MdevTraits = {
      allocation: 'all-closed',
      permSync: 'atUnmask',
      noTranslation: 'closed',
      defaultPasid: 'per-domain',
      releaseBy: 'index',
    };
    expect(driverWords(driver, config.host)).toBe(
      [
        'MSI-X fixed while on; all IMS entries at the first trigger, closed',
        'MSIX_PERM is looked at when a vector gets a trigger or is unmasked',
        'a PASID that is not bound closes the entry; one default PASID for all mdevs of a VM',
        'Release Interrupt Handle takes the vector',
      ].join('; '),
    );
  });

  it('says what is special in a parent and an mdev', () => {
    expect(parentWords({ entries: 1, pasids: 1, quota: 1, handles: 'requested' })).toBe(
      'IMS table of 1 entry; PASID 1; descriptors name a handle that was requested',
    );
    expect(mdevWords({ vm: 2 }, 1)).toBe('mdev of VM 2, without virtual IOMMU; 1 vector, emulated');
  });
});
