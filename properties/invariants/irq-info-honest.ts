import { VFIO_IRQ_INFO_EVENTFD, VFIO_IRQ_INFO_NORESIZE, VFIO_PCI_MSIX_IRQ_INDEX, type VfioSetIrqs } from '#vocabulary';
import { type Invariant, KEPT, type Watch } from './invariant.ts';
import { type DeviceView, isEventfdName, type Moment, setsMsixTriggers } from './moment.ts';

/** GET_IRQ_INFO tells the truth about what SET_IRQS will do. */
export const irqInfoHonest: Invariant = {
  id: 'irq-info-honest',
  promise: 'GET_IRQ_INFO reports the size of the table, and its NORESIZE flag says whether a vector can be added.',
  source: 'vfio_pci_ioctl_get_irq_info, Linux 6.1 and 6.12; include/uapi/linux/vfio.h',
  start: (): Watch => (moment) => {
    const wrong =
      moment.device === undefined ? null : (infoWrong(moment, moment.device) ?? flagWrong(moment, moment.device));
    return wrong === null ? KEPT : [{ step: moment.index, causes: [moment.index], message: wrong }];
  },
};

function infoWrong({ operation, step }: Moment, { config, after }: DeviceView): string | null {
  if (operation.kind !== 'vfio.getIrqInfo' || operation.index !== VFIO_PCI_MSIX_IRQ_INDEX) return null;
  if (step.outcome.kind !== 'irqInfo') return null;
  const { flags, count } = step.outcome;
  if (count !== config.msixVectors) return `MSI-X has ${config.msixVectors} vectors and ${count} are reported`;
  if ((flags & VFIO_IRQ_INFO_EVENTFD) === 0) return 'MSI-X takes eventfds and the flag is clear';
  if (flags !== after.infoFlags) return `flags ${flags} were reported, and ${after.infoFlags} a moment later`;
  return null;
}

function flagWrong({ operation, step }: Moment, device: DeviceView): string | null {
  if (!setsMsixTriggers(operation) || !addsVectors(device, operation)) return null;
  const { outcome } = step;
  if ((device.before.infoFlags & VFIO_IRQ_INFO_NORESIZE) !== 0)
    return outcome.kind === 'ok' ? 'NORESIZE is set and vectors were added' : null;
  const shortage = outcome.kind === 'errno' && (outcome.errno === 'ENOSPC' || outcome.errno === 'ENOMEM');
  return outcome.kind === 'ok' || shortage ? null : 'NORESIZE is clear and a vector could not be added';
}

/** A well-formed call with good eventfds only, that goes beyond what is allocated. */
function addsVectors({ before, config }: DeviceView, { start, count, data, argsz, unreadable }: VfioSetIrqs): boolean {
  return (
    before.open &&
    before.enable &&
    argsz === undefined &&
    unreadable === undefined &&
    count > 0 &&
    data.length >= count &&
    data.every(isEventfdName) &&
    start + count > before.allocated &&
    start + count <= config.msixVectors
  );
}
