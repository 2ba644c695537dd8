import { LATCHES, NVME } from './devices.ts';
import { OFF, type Script } from './script.ts';

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const NONE = 'vfio.setIrqs MSIX NONE|TRIGGER';
const ARMED_1 = 'irqs 0, armed 0, pending none, on';
const ARMED_2 = 'irqs 0-1, armed 0-1, pending none, on';

/** Configuration space, the MSI-X table, power, reset, descriptors and mappings, with MSI-X on. */
export const DEVICE_STATEMENTS: readonly Script[] = [
  {
    id: 'K47',
    says: "a write to MSI-X Message Control is dropped, and a read shows the function's",
    device: LATCHES,
    lines: [
      ['vfio.configRead msixControl', 'reads 9'],
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.configWrite msixControl 0', 'ok'],
      ['vfio.configWrite msixControl 49161', 'ok'],
      ['vfio.configRead msixControl', 'reads 32777'],
      ['device.raise 0', 'ok, e0 +1'],
    ],
    end: [ARMED_1],
  },
  {
    id: 'K48',
    says: 'the MSI-X table reads all ones and drops writes; the PBA reads as it is',
    device: LATCHES,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.tableRead 0', 'reads 4294967295'],
      ['vfio.tableWrite 0 1', 'ok'],
      ['device.raise 0', 'ok, e0 +1'],
      ['device.raise 7', 'ok'],
      ['vfio.pbaRead 7', 'reads 128'],
    ],
    end: ['irqs 0, armed 0, pending 7, on'],
  },
  {
    id: 'K50',
    says: 'enabling MSI-X leaves the physical Interrupt Disable clear',
    device: NVME,
    lines: [[`${SET} 0+2 [e0 e1]`, 'ok']],
    end: [ARMED_2],
  },
  {
    id: 'K51',
    says: 'memory decode off keeps nobody from enabling MSI-X or adding a vector',
    device: LATCHES,
    lines: [
      ['vfio.configWrite memory 0', 'ok'],
      [`${SET} 0+1 [e0]`, 'ok'],
      [`${SET} 1+1 [e1]`, 'EINVAL', 'ok', 'EINVAL'],
      ['vfio.configRead memory', 'reads 0'],
      ['vfio.configWrite memory 1', 'ok'],
      ['device.raise 0', 'ok, e0 +1'],
    ],
    end: [ARMED_1, ARMED_2, ARMED_1],
  },
  {
    id: 'K52',
    says: 'MSI-X cannot be enabled in D3hot',
    device: NVME,
    lines: [
      ['vfio.configWrite power 3', 'ok'],
      [`${SET} 0+1 [e0]`, 'EINVAL'],
    ],
    end: [OFF],
  },
  {
    id: 'K53',
    says: 'in D3hot a trigger is swapped as ever; a vector is EINVAL, or added with its message at address 0',
    device: NVME,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.configWrite power 3', 'ok'],
      [`${SET} 0+1 [e5]`, 'ok'],
      [`${SET} 1+1 [e1]`, 'EINVAL', 'ok', 'EINVAL'],
      ['vfio.configWrite power 0', 'ok'],
      [`${NONE} 0+1 []`, 'ok, e5 +1'],
    ],
    end: [ARMED_1, `${ARMED_2}, address-0 1`, ARMED_1],
  },
  {
    id: 'K54',
    says: 'what is raised with bus mastering off is lost',
    device: LATCHES,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.configWrite busMaster 0', 'ok'],
      ['device.raise 0', 'ok'],
      ['vfio.configWrite busMaster 1', 'ok'],
      ['device.raise 0', 'ok, e0 +1'],
    ],
    end: [ARMED_1],
  },
  {
    id: 'K55',
    says: 'DEVICE_RESET leaves irqs, masks and triggers as they were, and Interrupt Disable set',
    device: NVME,
    lines: [
      [`${SET} 0+2 [e0 e1]`, 'ok'],
      ['vfio.reset', 'ok'],
      [`${NONE} 0+2 []`, 'ok, e0 +1, e1 +1'],
    ],
    end: [`${ARMED_2}, INTx-disable`],
  },
  {
    id: 'K56',
    says: 'DEVICE_RESET of a function that cannot be reset alone is EINVAL and changes nothing',
    device: LATCHES,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.reset', 'EINVAL'],
      ['device.raise 0', 'ok, e0 +1'],
    ],
    end: [ARMED_1],
  },
  {
    id: 'K57',
    says: 'with every descriptor closed a mapping of the BAR keeps the triggers, until it is unmapped',
    device: LATCHES,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.mapBar', 'ok'],
      ['vfio.close', 'ok'],
      ['device.raise 0', 'ok, e0 +1'],
      ['vfio.unmapBar', 'ok'],
    ],
    end: [OFF],
  },
  {
    id: 'K58',
    says: 'closing one of two descriptors changes nothing',
    device: LATCHES,
    lines: [
      ['vfio.open', 'ok'],
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.close', 'ok'],
      ['device.raise 0', 'ok, e0 +1'],
    ],
    end: [ARMED_1],
  },
  {
    id: 'K76',
    says: 'a new trigger heals a vector whose entry the device lost; no trigger of another vector does',
    device: LATCHES,
    lines: [
      [`${SET} 0+2 [e0 e1]`, 'ok'],
      ['device.wipe', 'ok'],
      [`${SET} 1+1 [e1]`, 'ok'],
      [`${SET} 2+1 [e2]`, 'EINVAL', 'ok', 'EINVAL'],
      ['device.raise 0', 'ok'],
      ['device.raise 1', 'ok, e1 +1'],
    ],
    end: [
      'irqs 0-1, armed 0-1, pending 0, on',
      'irqs 0-2, armed 0-2, pending 0, on',
      'irqs 0-1, armed 0-1, pending 0, on',
    ],
  },
];
