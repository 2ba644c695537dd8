import { hostIrq } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { signal } from '../vfio/eventfd.ts';
import { type Mdev, mdevAt, type ParentState, setVectorState, vectorAt } from './parent.ts';

const CLAUSE = declare({
  delivered: {
    id: 'ims.interrupt.delivered',
    title: 'The message of an entry reaches the handler of its irq, which signals the trigger of the vector.',
    source: 'vidxd_ims_irq_handler and its like, idxd drivers of 2020 to 2023',
  },
  emulated: {
    id: 'ims.interrupt.vector-0',
    title: "Vector 0 is the driver's own: it has no entry and no irq, and is signalled for events of its own mdev.",
    source: 'the discussion of the VFIO MSI-X virtualization mail, June 2021; DSA 3.0, 3.7 and 7.5.4',
  },
  emulatedMasked: {
    id: 'ims.interrupt.vector-0-pending',
    title: 'An event of vector 0 is kept while the vector is masked or has no trigger.',
    source: 'vidxd_send_interrupt, idxd drivers of 2020 to 2023',
  },
  replay: {
    id: 'ims.interrupt.replayed',
    title: 'An interrupt that the driver has kept is signalled once when the vector is unmasked and has a trigger.',
    source: 'PCIe 6.0, 6.1.4.5: the message of a pending vector is sent when it is unmasked',
  },
});

/** A message arrives: the irq that it names is handled, if somebody has requested it. */
export function messageArrives(parent: ParentState, data: number): void {
  for (const mdev of parent.mdevs) {
    const vector = mdev.vectors.findIndex(({ trigger }, at) => trigger !== null && hostIrq(mdev.index, at) === data);
    if (vector < 1) continue;
    cite(CLAUSE.delivered);
    signalVector(parent, mdev, vector);
    return;
  }
}

/** The driver tells the guest of something: an error, the end of a command, handles that were revoked. */
export function emulatedEvent(parent: ParentState, index: number): void {
  const mdev = mdevAt(parent, index);
  const { masked, trigger } = vectorAt(mdev, 0);
  if (masked || trigger === null) {
    cite(CLAUSE.emulatedMasked);
    setVectorState(mdev, 0, { pending: true });
    return;
  }
  cite(CLAUSE.emulated);
  signal(parent.eventfds, trigger);
}

/** @param fired the hardware has sent a message for it just now, which tells the guest as well */
export function replay(parent: ParentState, mdev: Mdev, vector: number, fired: boolean): void {
  const { pending, masked, trigger } = vectorAt(mdev, vector);
  if (!pending || masked || trigger === null) return;
  cite(CLAUSE.replay);
  setVectorState(mdev, vector, { pending: false });
  if (!fired) signal(parent.eventfds, trigger);
}

/** Source: eventfd_signal, Linux 6.1 and 6.12. */
function signalVector(parent: ParentState, mdev: Mdev, vector: number): void {
  const { masked, trigger } = vectorAt(mdev, vector);
  if (masked || trigger === null) setVectorState(mdev, vector, { pending: true });
  else signal(parent.eventfds, trigger);
}
