import type { Config, HostTraits, PciFunction, Platform, VmmTraits } from '#vocabulary';
import { counted } from './layout.ts';
import { driverWords, mdevWords, parentWords } from './mdev-machine.ts';

const RANGE_CHECKS: Readonly<Record<HostTraits['rangeCheck'], string>> = {
  'whole-range-first': 'ranges beyond the allocation refused whole',
  'vector-by-vector': 'ranges beyond the allocation tried vector by vector',
};

const BELOW_MINUS_ONE: Readonly<Record<HostTraits['belowMinusOne'], string>> = {
  ignored: 'ERR and REQ eventfds below -1 ignored',
  refused: 'ERR and REQ eventfds below -1 refused',
};

const WHILE_OFF: Readonly<Record<PciFunction['whileOff'], string>> = {
  latches: 'latches events while MSI-X is off',
  drops: 'drops events while MSI-X is off',
};

const DELIVERIES: Readonly<Record<VmmTraits['delivery'], string>> = {
  userspace: 'delivers in its own event loop',
  irqfd: 'lets KVM deliver',
};

/**
 * A Config in words: the host or the driver of its mdevs first, then the VMM and the parent if there is one, then a
 * line per device.
 */
export function machineLines(config: Config): readonly string[] {
  const { host, mdev, vmm, parent } = config;
  const remapping = config.interruptRemapping === false ? '; no interrupt remapping' : '';
  return [
    mdev === undefined ? `host: ${hostWords(host)}${remapping}` : `mdev driver: ${driverWords(mdev, host)}${remapping}`,
    ...(vmm === undefined ? [] : [`VMM: ${vmmWords(vmm, host)}`]),
    ...(parent === undefined ? [] : [`parent: ${parentWords(parent)}`]),
    ...config.devices.map((device, index) => `device ${index}: ${functionWords(device)}`),
  ];
}

/** The traits of a host in words. */
export function hostWords(host: HostTraits): string {
  return wordsOfTraits(host).join('; ');
}

/** What a host does that another does not. */
export function hostWordsUnlike(host: HostTraits, other: HostTraits): string {
  const others = wordsOfTraits(other);
  return wordsOfTraits(host)
    .filter((words) => !others.includes(words))
    .join('; ');
}

function wordsOfTraits(host: HostTraits): readonly string[] {
  const growth = host.dynamicMsix ? 'MSI-X grows while on' : 'MSI-X fixed while on';
  return [growth, RANGE_CHECKS[host.rangeCheck], BELOW_MINUS_ONE[host.belowMinusOne]];
}

/** The traits of a VMM in words, as they come out on a host. */
export function vmmWords({ allocation, delivery }: VmmTraits, host: Platform['host']): string {
  return `${allocationWords(allocation, host)}; ${DELIVERIES[delivery]}`;
}

function allocationWords(allocation: VmmTraits['allocation'], { dynamicMsix }: Platform['host']): string {
  switch (allocation) {
    case 'vector-0-first':
      return 'sets up vector 0 first and grows by tear-down';
    case 'as-irq-info-says':
      return dynamicMsix
        ? 'sets up no vector first and adds each, as NORESIZE is clear'
        : 'sets up no vector first and grows by tear-down, as NORESIZE is set';
    case 'all-at-enable':
      return 'sets up the whole table when the guest enables MSI-X';
  }
}

function functionWords({ msixVectors, whileOff, msiVectors, mdev, ...has }: PciFunction): string {
  if (mdev !== undefined) return mdevWords(mdev, msixVectors);
  const parts = [
    ...(msixVectors === 0 ? [] : [`MSI-X table of ${counted(msixVectors, 'vector')}; ${WHILE_OFF[whileOff]}`]),
    ...(msiVectors === undefined ? [] : [`MSI of ${counted(msiVectors, 'vector')}`]),
    ...(has.intx === true ? ['INTx'] : []),
    ...(has.express === true ? ['PCI Express'] : []),
    ...(has.reset === true ? ['can be reset'] : []),
    ...(has.powerManagement === true ? ['has D3hot'] : []),
    ...(has.silent === true ? ['never raises'] : []),
  ];
  return parts.length === 0 ? 'no interrupts of its own' : parts.join('; ');
}
