import { type GuestConfigWrite, MSIX_CAPABILITY_BYTES } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { updateFunctionMasked } from './mask-update.ts';
import { msixDisable } from './msix-disable.ts';
import { msixEnable } from './msix-enable.ts';
import type { VirtualFunction, Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  forwarded: {
    id: 'qemu.config-write.forwarded',
    title: 'A write that does not cover the upper byte of Message Control is forwarded to vfio and changes nothing.',
    source: 'vfio_pci_write_config, msix_write_config, QEMU 7.2 and 10.0',
  },
  control: {
    id: 'qemu.config-write.control',
    title: 'Of the capability only Enable and Function Mask can be written.',
    source: 'msix_init (wmask), QEMU 7.2 and 10.0; PCIe 6.0, 7.7.2.2',
  },
  same: {
    id: 'qemu.config-write.same',
    title: 'Message Control written as it was is forwarded, and no interrupt is touched.',
    source: 'msix_write_config, vfio_pci_write_config, QEMU 7.2 and 10.0',
  },
  busMaster: {
    id: 'qemu.config-write.bus-master',
    title: 'Bus Master Enable is kept and forwarded to the function.',
    source: 'vfio_pci_write_config, QEMU 7.2 and 10.0',
  },
});

/** The upper byte of Message Control within the capability, and its two bits. */
const CONTROL_BYTE = 3;
const ENABLE = 0x80;
const FUNCTION_MASK = 0x40;

/** A write to the MSI-X capability. Source: vfio_pci_write_config, QEMU 7.2 and 10.0. */
export function capabilityWrite(
  vmm: Vmm,
  vf: VirtualFunction,
  { offset, width, value }: Pick<GuestConfigWrite, 'offset' | 'width' | 'value'>,
): void {
  const covers = offset <= CONTROL_BYTE && CONTROL_BYTE < Math.min(offset + width, MSIX_CAPABILITY_BYTES);
  if (!covers || vf.device.config.msixVectors === 0) {
    cite(CLAUSE.forwarded);
    return;
  }
  const byte = Math.floor(value / 2 ** (8 * (CONTROL_BYTE - offset))) % 0x100;
  writeControl(vmm, vf, (byte & ENABLE) !== 0, (byte & FUNCTION_MASK) !== 0);
}

function writeControl(vmm: Vmm, vf: VirtualFunction, enable: boolean, functionMask: boolean): void {
  const wasEnabled = vf.enable;
  cite(enable === wasEnabled && functionMask === vf.functionMask ? CLAUSE.same : CLAUSE.control);
  vf.enable = enable;
  vf.functionMask = functionMask;
  updateFunctionMasked(vmm, vf);
  if (enable && !wasEnabled) msixEnable(vmm, vf);
  if (!enable && wasEnabled) msixDisable(vmm, vf);
}

/** Source: vfio_pci_write_config, QEMU 7.2 and 10.0. */
export function setBusMaster(vf: VirtualFunction, enable: boolean): void {
  cite(CLAUSE.busMaster);
  vf.busMaster = enable;
  vf.device.setBusMaster(enable);
}
