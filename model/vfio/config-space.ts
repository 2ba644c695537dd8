import type { ConfigField, Errno, Outcome, PciFunction, VfioConfigRead, VfioConfigWrite } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { giveIntxUp } from '../pci/intx-pin.ts';
import type { VfioDevice } from './device.ts';
import { intxMask, intxUnmask } from './intx.ts';

const CLAUSE = declare({
  noSuchField: {
    id: 'vfio.config-space.no-such-field',
    title: 'A field of a capability that the function lacks is EINVAL.',
    source: 'ours: there is no place in configuration space to read or write',
  },
  intxDisable: {
    id: 'vfio.config-space.intx-disable',
    title: 'Interrupt Disable is virtual: setting it masks INTx, clearing it unmasks, whoever had masked it.',
    source: 'vfio_basic_config_write, Linux 6.1 and 6.12',
  },
  intxDisableAgain: {
    id: 'vfio.config-space.intx-disable-again',
    title: 'Writing the value that the virtual Interrupt Disable has does nothing.',
    source: 'vfio_basic_config_write, Linux 6.1 and 6.12',
  },
  memory: {
    id: 'vfio.config-space.memory',
    title: 'Memory decode is remembered and written to the function; SET_IRQS turns it on for as long as it needs it.',
    source: 'vfio_basic_config_write, vfio_pci_memory_lock_and_enable, Linux 6.1 and 6.12',
  },
  busMaster: {
    id: 'vfio.config-space.bus-master',
    title: 'Bus Master Enable is written to the function.',
    source: 'init_pci_cap_basic_perm, Linux 6.1 and 6.12',
  },
  power: {
    id: 'vfio.config-space.power',
    title: 'The power state is changed by the PCI core; interrupts stay set up.',
    source: 'vfio_pm_config_write, vfio_pci_set_power_state, Linux 6.1 and 6.12',
  },
  msiEnable: {
    id: 'vfio.config-space.msi-enable',
    title: "While MSI is set up the user turns the function's MSI off and on; setting it up leaves the virtual bit.",
    source: 'vfio_msi_config_write, Linux 6.1 and 6.12',
  },
  oneMessage: {
    id: 'vfio.config-space.one-message',
    title: 'A write of MSI Enable leaves the function one message: the virtual Multiple Message Enable is 0.',
    source: 'vfio_msi_config_write, Linux 6.1 and 6.12',
  },
  msiEnableStripped: {
    id: 'vfio.config-space.msi-enable-stripped',
    title: 'While MSI is not set up its Enable bit cannot be set.',
    source: 'vfio_msi_config_write, Linux 6.1 and 6.12',
  },
  msixControl: {
    id: 'vfio.config-space.msix-control',
    title: "A write to MSI-X Message Control succeeds and is dropped; a read shows the function's.",
    source: 'vfio_config_do_rw (the MSI-X capability has no writefn), Linux 6.1 and 6.12',
  },
});

/** Bits of MSI-X Message Control. */
const MSIX_ENABLE = 0x8000;
const MSIX_FUNCTION_MASK = 0x4000;

/** A write of one field through the region of configuration space. */
export function configWrite(device: VfioDevice, { field, value }: VfioConfigWrite): 0 | Errno {
  const { pci, virtual } = device;
  if (!hasField(device.config, field)) {
    cite(CLAUSE.noSuchField);
    return 'EINVAL';
  }
  switch (field) {
    case 'intxDisable':
      writeIntxDisable(device, value === 1);
      return 0;
    case 'memory':
      cite(CLAUSE.memory);
      virtual.memory = value === 1;
      return 0;
    case 'busMaster':
      cite(CLAUSE.busMaster);
      pci.busMaster = value === 1;
      return 0;
    case 'power':
      cite(CLAUSE.power);
      pci.inD3hot = value === 3;
      return 0;
    case 'msiEnable':
      writeMsiEnable(device, value === 1);
      return 0;
    case 'msixControl':
      cite(CLAUSE.msixControl);
      return 0;
  }
}

function writeIntxDisable(device: VfioDevice, value: boolean): void {
  if (device.virtual.intxDisable === value) {
    cite(CLAUSE.intxDisableAgain);
    return;
  }
  cite(CLAUSE.intxDisable);
  device.virtual.intxDisable = value;
  if (value) intxMask(device);
  else intxUnmask(device);
}

function writeMsiEnable({ irqType, virtual, pci }: VfioDevice, value: boolean): void {
  if (irqType === 'msi') {
    cite(CLAUSE.msiEnable);
    if (pci.msi.enabledVectors > 1) cite(CLAUSE.oneMessage);
    pci.msi.enabledVectors = 1;
  } else cite(CLAUSE.msiEnableStripped);
  virtual.msiEnable = value && irqType === 'msi';
  pci.msi.enable = virtual.msiEnable;
  if (pci.msi.enable) giveIntxUp(pci);
}

/** A read of one field through the region of configuration space. Source: vfio_config_do_rw, Linux 6.1 and 6.12. */
export function configRead(device: VfioDevice, { field }: VfioConfigRead): Outcome {
  if (!hasField(device.config, field)) {
    cite(CLAUSE.noSuchField);
    return { kind: 'errno', errno: 'EINVAL' };
  }
  return { kind: 'value', value: fieldValue(device, field) };
}

/** Source: vfio_config_do_rw, Linux 6.1 and 6.12. */
function fieldValue({ pci, virtual, config }: VfioDevice, field: ConfigField): number {
  switch (field) {
    case 'intxDisable':
      return Number(virtual.intxDisable);
    case 'memory':
      return Number(virtual.memory);
    case 'busMaster':
      return Number(pci.busMaster);
    case 'power':
      return pci.inD3hot ? 3 : 0;
    case 'msiEnable':
      return Number(virtual.msiEnable);
    case 'msixControl':
      return (
        config.msixVectors - 1 + (pci.msix.enable ? MSIX_ENABLE : 0) + (pci.msix.functionMask ? MSIX_FUNCTION_MASK : 0)
      );
  }
}

/** Source: PCIe 6.0, 7.5.1 (Command), 7.5.2 (power), 7.7.1 (MSI), 7.7.2 (MSI-X). */
function hasField({ msixVectors, msiVectors, powerManagement }: PciFunction, field: ConfigField): boolean {
  switch (field) {
    case 'intxDisable':
    case 'memory':
    case 'busMaster':
      return true;
    case 'power':
      return powerManagement === true;
    case 'msiEnable':
      return msiVectors !== undefined;
    case 'msixControl':
      return msixVectors > 0;
  }
}
