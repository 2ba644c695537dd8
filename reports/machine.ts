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
  const { host } = config;
  const growth = host.dynamicMsix ? 'MSI-X grows while on' : 'MSI-X fixed while on';
  return [
    `host: ${growth}; ${RANGE_CHECKS[host.rangeCheck]}; ${BELOW_MINUS_ONE[host.belowMinusOne]}`,
    ...config.devices.map(
      (device, index) =>
        `device ${index}: MSI-X table of ${counted(device.msixVectors, 'vector')}; ${WHILE_OFF[device.whileOff]}`,
    ),
  ];
}
