import type { Errno, PciFunction, VfioSetIrqs } from '#vocabulary';
import type { VectorSet } from '../vector-set.ts';
import { configWrite } from '../vfio/config-space.ts';
import type { VfioDevice } from '../vfio/device.ts';
import type { Eventfds } from '../vfio/eventfd.ts';
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
  readonly pendingVectors: () => VectorSet;
}

/** A function that vfio-pci passes through. Source: VFIO_GROUP_GET_DEVICE_FD. */
export function passedThrough(device: VfioDevice, index: number): HostDevice {
  return new PassedThrough(device, index);
}

/** A class, for it is made anew with each copy of a machine, and closures are dear. */
class PassedThrough implements HostDevice {
  readonly config: PciFunction;
  readonly eventfds: Eventfds;
  readonly addsVectors: boolean;
  readonly #device: VfioDevice;
  readonly #index: number;

  /** Source: ours, what `passedThrough` is given. */
  constructor(device: VfioDevice, index: number) {
    this.config = device.config;
    this.eventfds = device.eventfds;
    this.addsVectors = device.addsVectors;
    this.#device = device;
    this.#index = index;
  }

  setIrqs(call: VfioSetIrqs): number | Errno {
    return setIrqs(this.#device, call);
  }

  reset(): number | Errno {
    return reset(this.#device);
  }

  /** Source: vfio_pci_write_config, QEMU 7.2 and 10.0. */
  setBusMaster(enable: boolean): void {
    const value = enable ? 1 : 0;
    configWrite(this.#device, { kind: 'vfio.configWrite', device: this.#index, field: 'busMaster', value });
  }

  isPending(vector: number): boolean {
    return this.#device.pci.msix.pending.has(vector);
  }

  pendingVectors(): VectorSet {
    return this.#device.pci.msix.pending;
  }
}
