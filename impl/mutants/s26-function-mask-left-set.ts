import type { Config, Operation, Outcome, Scenario, Trace } from '#vocabulary';
import type { Device } from '../optimised/device.ts';
import { OptimisedMachine } from '../optimised/machine.ts';
import { EINVAL, ERANGE, OK } from '../optimised/outcomes.ts';
import type { Mutant } from './mutant.ts';
import { allocationFails } from './traps.ts';

/** All vectors are masked while MSI-X is set up, and where that fails they stay so. */
class FunctionMaskLeftSet extends OptimisedMachine {
  readonly #masked = new Set<Device>();
  /** For each step whether a device has its Function Mask set, in the order of the Config. */
  readonly #seen: boolean[][] = [];

  override run(scenario: Scenario): Trace {
    const trace = super.run(scenario);
    if (!this.#seen.some((devices) => devices.includes(true))) return trace;
    const steps = trace.steps.map((step, index) => ({
      ...step,
      observation: step.observation.map((device, place) => ({
        ...device,
        functionMask: this.#seen[index]?.[place] === true,
      })),
    }));
    return { ...trace, steps };
  }

  protected override start(config: Config): void {
    super.start(config);
    this.#masked.clear();
    this.#seen.length = 0;
  }

  protected override answer(operation: Operation): Outcome {
    const outcome = super.answer(operation);
    if (this.guests.length === 0) this.#look();
    return outcome;
  }

  protected override answerBesideVfio(operation: Operation): Outcome {
    const outcome = super.answerBesideVfio(operation);
    this.#look();
    return outcome;
  }

  #look(): void {
    this.#seen.push(this.devices.map((device) => this.#masked.has(device)));
  }

  protected override pciEnableMsixRange(device: Device, count: number): Outcome {
    const outcome = super.pciEnableMsixRange(device, count);
    if (outcome === OK) this.#masked.delete(device);
    // These are refused before Message Control is written.
    else if (outcome !== EINVAL && outcome !== ERANGE) this.#masked.add(device);
    return outcome;
  }

  protected override resetFunction(device: Device): void {
    super.resetFunction(device);
    this.#masked.delete(device);
  }
}

export const s26: Mutant = {
  id: 'S26',
  title: 'Function Mask is left set when MSI-X cannot be set up, also for the next owner',
  provenance: {
    system: 'Linux PCI/MSI; Xen',
    versions: '5.14 to 5.15; up to 4.12',
    evidence: '94185adbfad5; 575e18d54d (mask-all survived the assignment to the next guest)',
  },
  invariant: 'layers-agree',
  tier: 'H',
  trap: 'an allocation of the host that fails while MSI-X is set up',
  hasTrap: allocationFails,
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 1, whileOff: 'latches' }],
    operations: ['host.failAllocation 1', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]'],
  },
  machine: () => new FunctionMaskLeftSet(),
};
