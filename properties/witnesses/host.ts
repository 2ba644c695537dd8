import {
  type Errno,
  type Operation,
  type OperationKind,
  type Platform,
  type Step,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';
import { atOnce, hasEvent, inTurn, isErrno, isRaisedIn, type Witness } from './witness.ts';

const TRIGGER_EVENTFD = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD;

/** VFIO_DEVICE_SET_IRQS that gives eventfds to vectors of MSI-X. */
function arms(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
    operation.flags === TRIGGER_EVENTFD &&
    operation.count > 0
  );
}

const isGranted = ({ outcome }: Step): boolean => outcome.kind === 'ok';
const isOn = ({ observation }: Step, { device }: VfioSetIrqs): boolean => observation[device]?.enable === true;

/** What GET_IRQ_INFO says of the host decides it. */
const isDynamic = ({ host }: Platform): boolean => host.dynamicMsix;

const SET_IRQS: readonly OperationKind[] = ['vfio.setIrqs'];

function answers(errno: Errno, oneIn: number): Witness {
  const watch = atOnce((_, step) => isErrno(step, errno));
  return { name: `SET_IRQS answers ${errno}`, oneIn, needs: SET_IRQS, looksAt: SET_IRQS, watch };
}

/** What the user of vfio must have come across on a host alone. */
export const HOST_WITNESSES: readonly Witness[] = [
  {
    name: 'an event kept while MSI-X is off or its vector disarmed, delivered by the next trigger',
    oneIn: 10,
    needs: ['device.raise'],
    looksAt: SET_IRQS,
    watch: atOnce((operation, step) => arms(operation) && hasEvent(step, 'signalled') && !hasEvent(step, 'raised')),
  },
  {
    name: 'a range refused for want of an irq, and granted later',
    oneIn: 90,
    needs: ['host.limitVectors', 'host.failAllocation'],
    looksAt: SET_IRQS,
    watch: inTurn(
      (operation, step) => arms(operation) && isErrno(step, 'ENOSPC'),
      (operation, step) => arms(operation) && isGranted(step),
    ),
  },
  {
    name: 'a tear-down with a raise armed in the gap',
    oneIn: 20,
    needs: ['device.arm'],
    watch: atOnce((_, { events }) => isRaisedIn(events, 'teardown-gap')),
  },
  {
    name: 'MSI-X set up again after a close',
    oneIn: 35,
    needs: ['vfio.close', 'vfio.open'],
    looksAt: ['vfio.close', 'vfio.setIrqs'],
    watch: inTurn(
      ({ kind }, step) => kind === 'vfio.close' && isGranted(step),
      (operation, step) => arms(operation) && isGranted(step) && isOn(step, operation),
    ),
  },
  {
    name: 'a failed range that has left something changed',
    oneIn: 18,
    needs: SET_IRQS,
    looksAt: SET_IRQS,
    watch: atOnce(
      (operation, { outcome, observation }) =>
        arms(operation) && outcome.kind === 'errno' && (observation[operation.device]?.changes.length ?? 0) > 0,
    ),
  },
  {
    name: 'a vector added while MSI-X is on',
    oneIn: 6,
    needs: SET_IRQS,
    isPossible: isDynamic,
    looksAt: SET_IRQS,
    watch: inTurn(
      (operation, step) => arms(operation) && isGranted(step),
      (operation, step) =>
        arms(operation) && isGranted(step) && (step.observation[operation.device]?.changes.length ?? 0) > 0,
    ),
  },
  {
    name: 'a growth refused because of NORESIZE',
    oneIn: 7,
    needs: SET_IRQS,
    isPossible: (platform) => !isDynamic(platform),
    looksAt: SET_IRQS,
    watch: inTurn(
      (operation, step) => arms(operation) && isGranted(step) && isOn(step, operation),
      (operation, step) => arms(operation) && isErrno(step, 'EINVAL') && isOn(step, operation),
    ),
  },
  {
    name: 'MSI-X after INTx',
    oneIn: 70,
    needs: SET_IRQS,
    looksAt: SET_IRQS,
    watch: inTurn(
      (operation, step) =>
        operation.kind === 'vfio.setIrqs' &&
        operation.index === VFIO_PCI_INTX_IRQ_INDEX &&
        operation.flags === TRIGGER_EVENTFD &&
        operation.count > 0 &&
        isGranted(step),
      (operation, step) => arms(operation) && isGranted(step) && isOn(step, operation),
    ),
  },
  answers('EBADF', 9),
  answers('EBUSY', 35),
  answers('EFAULT', 32),
  answers('EINVAL', 4),
  answers('ENOSPC', 45),
  answers('ENOTTY', 24),
  answers('ERANGE', 150),
  {
    name: 'SET_IRQS answers how many vectors there could be',
    oneIn: 65,
    needs: SET_IRQS,
    looksAt: SET_IRQS,
    watch: atOnce((_, { outcome }) => outcome.kind === 'positive'),
  },
];
