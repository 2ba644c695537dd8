import type { Script } from './script.ts';
import { CALL_STATEMENTS } from './statements-call.ts';
import { DEVICE_STATEMENTS } from './statements-device.ts';
import { ERR_REQ_STATEMENTS } from './statements-err-req.ts';
import { INTX_STATEMENTS } from './statements-intx.ts';
import { MSI_STATEMENTS } from './statements-msi.ts';
import { MSIX_STATEMENTS } from './statements-msix.ts';

/**
 * What vfio-pci does, statement by statement, each by its number; found by reading the sources of Linux 6.1.192 and
 * 6.12.117 and by running them. The answers of 6.12 where no vector can be added are from reading alone.
 */
export const STATEMENTS: readonly Script[] = [
  ...CALL_STATEMENTS,
  ...MSIX_STATEMENTS,
  ...MSI_STATEMENTS,
  ...INTX_STATEMENTS,
  ...ERR_REQ_STATEMENTS,
  ...DEVICE_STATEMENTS,
];

/** A statement that no script can say. */
export interface NotSaid {
  readonly id: string;
  readonly says: string;
  readonly reason: string;
}

export const NOT_SAID: readonly NotSaid[] = [
  {
    id: 'K49',
    says: 'GET_REGION_INFO shows that the BAR of the MSI-X table can be mapped: flags 0xf, capability 3',
    reason: 'GET_REGION_INFO is no operation here: it tells of memory, not of interrupts',
  },
  {
    id: 'K77',
    says: 'on two CPUs an event is now and then lost while its trigger is swapped over and over',
    reason: 'operations come one after another: to raise within a swap takes a rate, on two CPUs',
  },
  {
    id: 'K78',
    says: 'on one CPU no event is lost while its trigger is swapped over and over',
    reason: 'operations come one after another: to raise within a swap takes a rate, on one CPU',
  },
];
