import * as vocabulary from '#vocabulary';
import { type Device, MESSAGE } from './device.ts';
import { EventfdLayer } from './eventfd-layer.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const { INTX_DISABLE, INTX_STATUS, MSI_ENABLE, MSI_MESSAGE, PENDING, UNMASKED } = vocabulary;

/** The PCI function: what it does with an event, its INTx pin, its table, its reset. Steps are named as in QEMU 7.2. */
export abstract class FunctionLayer extends EventfdLayer {
  protected abstract handleEdgeIrq(device: Device, vector: number): void;
  protected abstract intxHandler(device: Device): void;

  /** The function has an event for a vector. PCIe 6.0, 6.1.4 and 5.3.1.4.1 (D3hot); while MSI-X is off, ours. */
  protected event(device: Device, vector: number): void {
    if (device.isSilent || device.inD3hot) return;
    if (device.msixEnable) this.msixNotify(device, vector);
    else if ((device.registers & MSI_ENABLE) !== 0) this.msiNotify(device, vector);
    else if (device.latchesWhileOff && vector < device.msixVectors) device.set(vector, PENDING);
  }

  /** msix_notify. PCIe 6.0, 6.1.4.5: an event for a masked entry sets its pending bit. */
  protected msixNotify(device: Device, vector: number): void {
    if (vector >= device.msixVectors) return;
    if (device.has(vector, UNMASKED)) this.sendMessage(device, vector, device.has(vector, MESSAGE));
    else device.set(vector, PENDING);
  }

  /** msi_notify. PCIe 6.0, 7.7.1.2 (Multiple Message Enable). */
  protected msiNotify(device: Device, vector: number): void {
    if (vector < device.msiMessages) this.sendMessage(device, vector, (device.registers & MSI_MESSAGE) !== 0);
  }

  /** msi_send_message. PCIe 6.0, 7.5.1.1.3: without Bus Master Enable it goes nowhere; to address 0 it is lost. */
  protected sendMessage(device: Device, vector: number, hasAddress: boolean): void {
    if (device.busMaster && hasAddress) this.handleEdgeIrq(device, vector);
  }

  /** msix_handle_mask_update. PCIe 6.0, 6.1.4.5: unmasking an entry that is pending sends its message. */
  protected unmaskEntry(device: Device, vector: number): void {
    device.set(vector, UNMASKED);
    if (!device.has(vector, PENDING)) return;
    device.clear(vector, PENDING);
    this.sendMessage(device, vector, device.has(vector, MESSAGE));
  }

  /** msix_write_config. PCIe 6.0, 7.7.2.2: turning MSI-X on takes the pin back, for good. */
  protected setMsixEnable(device: Device): void {
    device.msixEnable = true;
    this.deassertIntx(device);
  }

  /** msi_write_config. PCIe 6.0, 7.7.1.2: turning MSI on takes the pin back, for good. */
  protected setMsiEnable(device: Device): void {
    device.registers |= MSI_ENABLE;
    this.deassertIntx(device);
  }

  /** edu_raise_irq. PCIe 6.0, 7.7.1.2 and 7.7.2.2: while MSI or MSI-X is on the pin is not asserted. */
  protected assertIntx(device: Device): void {
    if (!device.hasIntx || device.isSilent || device.msixEnable || (device.registers & MSI_ENABLE) !== 0) return;
    device.registers |= INTX_STATUS;
    if ((device.registers & INTX_DISABLE) === 0) this.intxHandler(device);
  }

  /** edu_lower_irq. */
  protected deassertIntx(device: Device): void {
    device.registers &= ~INTX_STATUS;
  }

  /** msix_reset, as far as the table goes. */
  protected wipe(device: Device): void {
    device.clearAll(UNMASKED | MESSAGE);
  }

  /** pci_device_reset with msix_reset and msi_reset. PCIe 6.0, 6.6.2; Command is restored by the one who resets. */
  protected resetFunction(device: Device): void {
    device.clearAll(UNMASKED | MESSAGE | PENDING);
    device.registers &= ~(MSI_ENABLE | MSI_MESSAGE | INTX_STATUS);
    device.msixEnable = false;
    device.inD3hot = false;
  }
}
