import type { ConfigField, Outcome } from '#vocabulary';
import { MSI_ENABLE, PENDING, VFIO_PCI_MSI_IRQ_INDEX } from '#vocabulary';
import type { Device } from './device.ts';
import { EINVAL, EIO, OK } from './outcomes.ts';
import { SingleLayer } from './single-layer.ts';

const MSIX_FLAGS_ENABLE = 0x8000;
const D3HOT = 3;
const ALL_ONES = 0xffffffff;

/** Reads and writes of the regions: configuration space, and the MSI-X structures behind their BAR. */
export abstract class RegionLayer extends SingleLayer {
  /** vfio_config_do_rw, Linux 6.1 and 6.12. */
  protected configWrite(device: Device, field: ConfigField, value: number): Outcome {
    if (!this.hasField(device, field)) return EINVAL;
    switch (field) {
      case 'intxDisable':
        this.writeIntxDisable(device, value === 1);
        return OK;
      case 'memory':
        device.virtualMemory = value === 1;
        return OK;
      case 'busMaster':
        device.busMaster = value === 1;
        return OK;
      case 'power':
        device.inD3hot = value === D3HOT;
        return OK;
      case 'msiEnable':
        this.msiConfigWrite(device, value === 1);
        return OK;
      case 'msixControl':
        return OK;
    }
  }

  /** vfio_basic_config_write, Linux 6.1 and 6.12: only a change of virq_disabled does anything. */
  protected writeIntxDisable(device: Device, value: boolean): void {
    if (device.virtualIntxDisable === value) return;
    device.virtualIntxDisable = value;
    if (value) this.intxMask(device);
    else this.intxUnmask(device);
  }

  /** vfio_msi_config_write, Linux 6.1 and 6.12: Enable is taken out of what is written unless MSI is set up. */
  protected msiConfigWrite(device: Device, value: boolean): void {
    const enables = value && device.irqType === VFIO_PCI_MSI_IRQ_INDEX;
    device.virtualMsiEnable = enables;
    // The whole word is written, and nobody has set the virtual Multiple Message Enable.
    if (device.irqType === VFIO_PCI_MSI_IRQ_INDEX) device.msiMessages = 1;
    if (enables) this.setMsiEnable(device);
    else device.registers &= ~MSI_ENABLE;
  }

  /** vfio_config_do_rw, Linux 6.1 and 6.12. Message Control of MSI-X is the function's own. */
  protected configRead(device: Device, field: ConfigField): Outcome {
    return this.hasField(device, field) ? this.outcomes.value(this.fieldValue(device, field)) : EINVAL;
  }

  protected fieldValue(device: Device, field: ConfigField): number {
    switch (field) {
      case 'intxDisable':
        return Number(device.virtualIntxDisable);
      case 'memory':
        return Number(device.virtualMemory);
      case 'busMaster':
        return Number(device.busMaster);
      case 'power':
        return device.inD3hot ? D3HOT : 0;
      case 'msiEnable':
        return Number(device.virtualMsiEnable);
      case 'msixControl':
        return device.msixVectors - 1 + (device.msixEnable ? MSIX_FLAGS_ENABLE : 0);
    }
  }

  protected hasField(device: Device, field: ConfigField): boolean {
    switch (field) {
      case 'intxDisable':
      case 'memory':
      case 'busMaster':
        return true;
      case 'power':
        return device.hasPowerManagement;
      case 'msiEnable':
        return device.msiVectors > 0;
      case 'msixControl':
        return device.msixVectors > 0;
    }
  }

  /** vfio_pci_core_do_io_rw, Linux 6.1 and 6.12: the table reads as ones, whatever the state of the function. */
  protected tableRead(device: Device, vector: number): Outcome {
    return vector < device.msixVectors ? this.outcomes.value(ALL_ONES) : EINVAL;
  }

  /** vfio_pci_core_do_io_rw, Linux 6.1 and 6.12: what is written to the table is dropped. */
  protected tableWrite(device: Device, vector: number): Outcome {
    return vector < device.msixVectors ? OK : EINVAL;
  }

  /** vfio_pci_core_ioread32 and __vfio_pci_memory_enabled, Linux 6.1 and 6.12. */
  protected pbaRead(device: Device, vector: number): Outcome {
    if (vector >= device.msixVectors) return EINVAL;
    if (!device.virtualMemory || device.inD3hot) return EIO;
    const first = vector & ~31;
    let word = 0;
    for (let bit = 0; bit < 32; bit += 1) if (device.has(first + bit, PENDING)) word |= 1 << (bit & 31);
    return this.outcomes.value(word >>> 0);
  }
}
