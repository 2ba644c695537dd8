import type { Config, HostTraits, PciFunction } from '#vocabulary';
import { counted } from './layout.ts';

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

/** A Config in words: the host first, then a line per device. */
export function machineLines(config: Config): readonly string[] {
  const remapping = config.interruptRemapping === false ? '; no interrupt remapping' : '';
  return [
    `host: ${hostWords(config.host)}${remapping}`,
    ...config.devices.map((device, index) => `device ${index}: ${functionWords(device)}`),
  ];
}

/** The traits of a host in words. */
export function hostWords(host: HostTraits): string {
  const growth = host.dynamicMsix ? 'MSI-X grows while on' : 'MSI-X fixed while on';
  return `${growth}; ${RANGE_CHECKS[host.rangeCheck]}; ${BELOW_MINUS_ONE[host.belowMinusOne]}`;
}

function functionWords({ msixVectors, whileOff, msiVectors, ...has }: PciFunction): string {
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
