import type { Errno, PciFunction, VfioSetIrqs } from '#vocabulary';
import { configWrite } from '../vfio/config-space.ts';
import type { VfioDevice } from '../vfio/device.ts';
import type { Eventfds } from '../vfio/eventfd.ts';
import { canAddVectors } from '../vfio/irq-info.ts';
import { reset } from '../vfio/reset.ts';
import { setIrqs } from '../vfio/set-irqs.ts';

/** A device as a VMM has it from the host, whatever driver is behind it. */
export interface HostDevice {
  readonly config: PciFunction;
  readonly eventfds: Eventfds;
  /** NORESIZE is clear for MSI-X. */
  readonly addsVectors: boolean;
  /** VFIO_DEVICE_SET_IRQS. */
  readonly setIrqs: (call: VfioSetIrqs) => number | Errno;
  /** VFIO_DEVICE_RESET. */
  readonly reset: () => number | Errno;
  readonly setBusMaster: (enable: boolean) => void;
  /** The pending bits of the device itself. */
  readonly isPending: (vector: number) => boolean;
  readonly pendingVectors: () => Iterable<number>;
}

/** A function that vfio-pci passes through. Source: VFIO_GROUP_GET_DEVICE_FD. */
export function passedThrough(device: VfioDevice, index: number): HostDevice {
  const { config, eventfds, pci } = device;
  return {
    config,
    eventfds,
    addsVectors: canAddVectors(device),
    setIrqs: (call) => setIrqs(device, call),
    reset: () => reset(device),
    setBusMaster: (enable) => {
      configWrite(device, { kind: 'vfio.configWrite', device: index, field: 'busMaster', value: enable ? 1 : 0 });
    },
    isPending: (vector) => pci.msix.pending.has(vector),
    pendingVectors: () => pci.msix.pending,
  };
}
