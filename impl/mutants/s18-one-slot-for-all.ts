import type { Outcome } from '#vocabulary';
import type { Device, Trigger } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import { OK } from '../optimised/outcomes.ts';
import type { Mutant } from './mutant.ts';
import { speaksOfReqOrErr } from './traps.ts';

/** An eventfd that one index is given is that of all that have one. */
class OneSlotForAll extends OptimisedMachine {
  protected override setSingleEventfd(trigger: Trigger, descriptor: number): Outcome {
    const outcome = super.setSingleEventfd(trigger, descriptor);
    const device = this.devices.find(({ errTrigger, reqTrigger }) => errTrigger === trigger || reqTrigger === trigger);
    if (outcome === OK && descriptor >= 0 && device !== undefined) this.#store(device, descriptor);
    return outcome;
  }

  protected override intxSetSignal(device: Device, descriptor: number): void {
    super.intxSetSignal(device, descriptor);
    if (descriptor >= 0) this.#store(device, descriptor);
  }

  protected override msiSetVectorSignal(device: Device, vector: number, descriptor: number): Outcome {
    const outcome = super.msiSetVectorSignal(device, vector, descriptor);
    if (outcome === OK && descriptor >= 0 && vector === 0) this.#store(device, descriptor);
    return outcome;
  }

  #store(device: Device, slot: number): void {
    device.setTrigger(0, slot, this.eventfds.generation(slot));
    for (const trigger of [device.intxTrigger, device.errTrigger, device.reqTrigger]) this.setTrigger(trigger, slot);
  }
}

export const s18: Mutant = {
  id: 'S18',
  title: 'REQ, ERR and INTx share the slot of MSI-X vector 0: the eventfd that was stored last gets the events of all',
  provenance: {
    system: 'libvfio-user',
    versions: 'up to June 2023; INTx and MSI-X still share one array at efd091b',
    evidence: '74e7348; issue 388 is open',
  },
  invariant: 'no-spurious-interrupt',
  tier: 'E',
  trap: 'two indices in one run',
  hasTrap: speaksOfReqOrErr,
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]', 'vfio.setIrqs REQ NONE|TRIGGER 0+1 []'],
  },
  machine: () => new OneSlotForAll(),
};
