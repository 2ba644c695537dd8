import {
  isEventfdName,
  type PciFunction,
  VFIO_IRQ_INFO_AUTOMASKED,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_MASKABLE,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_PCI_ERR_IRQ_INDEX,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';
import type { Call } from './calls.ts';
import { type Breach, type Invariant, KEPT, type Watch } from './invariant.ts';
import { watchMdevIrqInfo } from './mdev-irq-info.ts';
import { canGrow, type DeviceView, type Moment } from './moment.ts';

/** GET_IRQ_INFO tells the truth about what SET_IRQS will do. */
export const irqInfoHonest: Invariant = {
  id: 'irq-info-honest',
  promise:
    'GET_IRQ_INFO reports how many interrupts an index has, and its NORESIZE flag says whether a vector can be added.',
  source: 'vfio_pci_ioctl_get_irq_info, Linux 6.1 and 6.12; include/uapi/linux/vfio.h',
  start: (): Watch => watchIrqInfo,
  startMdev: watchMdevIrqInfo,
};

function watchIrqInfo(moment: Moment): readonly Breach[] {
  const { device } = moment;
  const wrong =
    device === undefined
      ? null
      : (infoWrong(moment, device) ?? rangeWrong(moment, device) ?? flagWrong(moment, device));
  return wrong === null ? KEPT : [{ step: moment.index, causes: [moment.index], message: wrong }];
}

const INDEX_NAMES: readonly string[] = ['INTx', 'MSI', 'MSI-X', 'ERR', 'REQ'];

/** The flags of an index; those of MSI-X are seen with every operation. */
const FLAGS: readonly (number | null)[] = [
  VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED,
  VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE,
  null,
  VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE,
  VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE,
];

function infoWrong({ operation, step, granted }: Moment, { config, after }: DeviceView): string | null {
  if (granted || operation.kind !== 'vfio.getIrqInfo') return null;
  const { index, argsz, unreadable } = operation;
  const name = INDEX_NAMES[index];
  if (step.outcome.kind !== 'irqInfo') {
    const exists = name !== undefined && (index !== VFIO_PCI_ERR_IRQ_INDEX || config.express === true);
    const answers = exists && after.open && argsz === undefined && unreadable === undefined;
    return answers && step.outcome.kind === 'errno' ? `${name} exists and is ${step.outcome.errno}` : null;
  }
  const { flags, count } = step.outcome;
  const has = interrupts(config, index);
  if (count !== has) return `${name} has ${has} interrupts and ${count} are reported`;
  const expected = FLAGS[index] ?? after.infoFlags;
  return flags === expected ? null : `${name} has flags ${expected} and ${flags} are reported`;
}

/** By the capabilities of the function; REQ, and nothing else of a bare function, is always there. */
export function interrupts({ intx, msiVectors, msixVectors, express }: PciFunction, index: number): number {
  switch (index) {
    case VFIO_PCI_INTX_IRQ_INDEX:
      return intx === true ? 1 : 0;
    case VFIO_PCI_MSI_IRQ_INDEX:
      return msiVectors ?? 0;
    case VFIO_PCI_MSIX_IRQ_INDEX:
      return msixVectors;
    case VFIO_PCI_ERR_IRQ_INDEX:
      return express === true ? 1 : 0;
  }
  return 1;
}

/** What was told to be all there is is all that a call may be about. */
function rangeWrong({ call, granted }: Moment, { config }: DeviceView): string | null {
  if (call === null || !granted) return null;
  const { index, start, count } = call;
  const name = INDEX_NAMES[index];
  if (name === undefined) return `index ${index} does not exist and a call about it was granted`;
  const has = interrupts(config, index);
  return start + count <= has ? null : `${name} has ${has} interrupts and a call about ${start}+${count} was granted`;
}

function flagWrong({ arming, granted, step }: Moment, device: DeviceView): string | null {
  if (arming === null || granted === canGrow(device.before) || !addsVectors(device, arming)) return null;
  if (granted) return 'NORESIZE is set and vectors were added';
  const { outcome } = step;
  const shortage = outcome.kind === 'errno' && (outcome.errno === 'ENOSPC' || outcome.errno === 'ENOMEM');
  return shortage ? null : 'NORESIZE is clear and a vector could not be added';
}

/** A well-formed call with good eventfds only, that goes beyond what is allocated. */
function addsVectors({ before, config }: DeviceView, call: Call): boolean {
  const { type, index, start, count, data, readable } = call;
  return (
    before.open &&
    before.type === type &&
    readable &&
    count > 0 &&
    start + count > before.allocated &&
    start + count <= interrupts(config, index) &&
    data.length === count &&
    data.every(isEventfdName)
  );
}
