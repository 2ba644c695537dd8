import type { DataElement, Outcome, VfioSetIrqs } from '#vocabulary';
import { VFIO_IRQ_SET_DATA_BOOL, VFIO_IRQ_SET_DATA_NONE } from '#vocabulary';
import { isAsked } from './data.ts';
import type { Trigger } from './device.ts';
import { IntxLayer } from './intx-layer.ts';
import { EINVAL, OK } from './outcomes.ts';

/** SET_IRQS on the ERR and REQ indices. */
export abstract class SingleLayer extends IntxLayer {
  /** vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12. Start is 0 and count at most 1. */
  protected setCtxTriggerSingle(trigger: Trigger, { flags, count, data }: VfioSetIrqs): Outcome {
    if ((flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
      if (!trigger.isSet()) return EINVAL;
      if (count === 0) trigger.clear();
      else this.signalTrigger(trigger);
      return OK;
    }
    if (count === 0) return EINVAL;
    if ((flags & VFIO_IRQ_SET_DATA_BOOL) !== 0) {
      if (trigger.isSet() && isAsked(flags, data)) this.signalTrigger(trigger);
      return OK;
    }
    return this.setSingleEventfd(trigger, this.eventfds.descriptor(data[0] as DataElement));
  }

  /**
   * vfio_pci_set_ctx_trigger_single, DATA_EVENTFD: Linux 6.1 (and 6.12 before 6.12.63), where a descriptor below -1 is
   * ignored, and 6.12. A bad descriptor leaves the old trigger.
   */
  protected setSingleEventfd(trigger: Trigger, descriptor: number): Outcome {
    if (descriptor < -1) return this.host.belowMinusOne === 'ignored' ? OK : EINVAL;
    const found = this.eventfdLookup(descriptor);
    if (found !== OK) return found;
    if (descriptor === -1) trigger.clear();
    else this.setTrigger(trigger, descriptor);
    return OK;
  }
}
