import { VFIO_IRQ_INFO_EVENTFD, VFIO_IRQ_INFO_NORESIZE, VFIO_PCI_MSIX_IRQ_INDEX } from '#vocabulary';
import { mdevOf } from './followed-parent.ts';
import { KEPT, type MdevWatch } from './invariant.ts';
import { setsMsix } from './mdev-calls.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** An mdev has MSI-X and nothing else, and its NORESIZE says whether a vector can be added to those that are set up. */
export function watchMdevIrqInfo(): MdevWatch {
  return (moment) => {
    const wrong = flagsWrong(moment) ?? infoWrong(moment) ?? growthWrong(moment);
    return wrong === null ? KEPT : [breach(moment, wrong)];
  };
}

function flagsWrong({ config, after, changes, index }: MdevMoment): string | null {
  if (index > 0 && !changes.some(({ kind }) => kind === 'mdev')) return null;
  for (const [device, { life, infoFlags }] of after.mdevs.entries()) {
    const grows = config.host.dynamicMsix ? 0 : VFIO_IRQ_INFO_NORESIZE;
    const owed = life === 'open' ? VFIO_IRQ_INFO_EVENTFD | grows : 0;
    if (infoFlags !== owed) return `mdev ${device} is ${life} and its flags are ${infoFlags} where ${owed} are right`;
  }
  return null;
}

function infoWrong({ config, operation, step, after }: MdevMoment): string | null {
  if (operation.kind !== 'vfio.getIrqInfo') return null;
  const { device, index, argsz, unreadable } = operation;
  const { life, infoFlags } = mdevOf(after, device);
  const { outcome } = step;
  if (outcome.kind !== 'irqInfo') {
    const answers = index === VFIO_PCI_MSIX_IRQ_INDEX && life === 'open' && argsz === undefined && unreadable !== true;
    return answers ? `MSI-X of mdev ${device} exists and was not told of` : null;
  }
  if (index !== VFIO_PCI_MSIX_IRQ_INDEX) return `mdev ${device} has no interrupts of index ${index} and tells of some`;
  const has = config.devices[device]?.msixVectors ?? 0;
  if (outcome.count !== has) return `mdev ${device} has ${has} vectors and ${outcome.count} are reported`;
  return outcome.flags === infoFlags ? null : `mdev ${device} has flags ${infoFlags} and ${outcome.flags} are reported`;
}

/** A call that sets MSI-X up, or adds a vector, against what NORESIZE says. */
function growthWrong({ config, operation, step, before }: MdevMoment): string | null {
  if (!setsMsix(operation) || step.outcome.kind !== 'ok') return null;
  const { device, start, count } = operation;
  const { enable, infoFlags } = mdevOf(before, device);
  const has = config.devices[device]?.msixVectors ?? 0;
  if ((infoFlags & VFIO_IRQ_INFO_NORESIZE) === 0 || enable || start + count === has) return null;
  return `NORESIZE is set and MSI-X of mdev ${device} was set up with less than its ${has} vectors`;
}
