import {
  type Config,
  HarnessError,
  type Trace,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioSetIrqs,
  type VmmTraits,
} from '#vocabulary';
import type { Accelerator } from './qemu.ts';

/** What is asked of a QEMU to see how it allocates: the guest of a host that can add vectors enables MSI-X. */
export const PROBE = {
  function: { msixVectors: 4, whileOff: 'latches', intx: true, reset: true },
  host: { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
  operations: [
    { kind: 'guest.msixControl', device: 0, enable: true, functionMask: false },
    { kind: 'guest.unmask', device: 0, vector: 2 },
  ],
} as const;

/** The same over a table with a hole, which some do not survive. */
export const HOLE_PROBE = [
  { kind: 'guest.unmask', device: 0, vector: 1 },
  { kind: 'guest.msixControl', device: 0, enable: true, functionMask: false },
] as const;

/** Whether a QEMU died of a hole, or gave KVM an eventfd for it as well. */
export function isHarmedByHoles({ steps, lastWords }: Trace): boolean {
  const assigned = steps.flatMap(({ calls }) => calls ?? []).filter((call) => call.kind === 'kvm.irqfd' && call.assign);
  return lastWords !== undefined || assigned.length > 1;
}

/** @param delivery what the accelerator lets QEMU do: the traits that the probe's config had do not matter */
export function traitsShown({ steps }: Trace, accelerator: Accelerator): VmmTraits {
  const [enabling, unmasking] = steps.map(({ calls }) => (calls ?? []).flatMap(setIrqsOfMsix));
  const delivery = accelerator === 'kvm' ? 'irqfd' : 'userspace';
  const armed = enabling?.find(({ count }) => count > 0);
  if (armed?.count === PROBE.function.msixVectors) return { allocation: 'all-at-enable', delivery };
  const unmasks = unmasking?.map(({ start, count }) => `${start}+${count}`).join(' ');
  if (armed?.count === 1 && armed.data[0] !== -1 && unmasks === '0+0 0+3')
    return { allocation: 'vector-0-first', delivery };
  if (armed?.count === 1 && armed.data[0] === -1 && unmasks === '2+1')
    return { allocation: 'as-irq-info-says', delivery };
  throw new HarnessError(`a QEMU that allocates like no known one: ${JSON.stringify({ enabling, unmasking })}`);
}

function setIrqsOfMsix(call: NonNullable<Trace['steps'][number]['calls']>[number]): VfioSetIrqs[] {
  if (call.kind !== 'vfio' || call.operation.kind !== 'vfio.setIrqs') return [];
  return call.operation.index === VFIO_PCI_MSIX_IRQ_INDEX ? [call.operation] : [];
}

export function probeConfig(): Config {
  return {
    host: PROBE.host,
    vmm: { allocation: 'as-irq-info-says', delivery: 'userspace' },
    devices: [PROBE.function],
  };
}
