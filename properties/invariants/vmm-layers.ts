import {
  ALLOCATED,
  ARMED,
  type DeviceObservation,
  INTX_HANDLER,
  isEventfdName,
  UNMASKED,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VmmCall,
} from '#vocabulary';
import { VectorMap } from './by-vector.ts';
import { disables, setsVectors } from './calls.ts';
import type { GuestMoment, GuestView } from './guest-moment.ts';
import { type Breach, type GuestWatch, ofEachGuest } from './invariant.ts';
import { flags, type Memory, remembering, type Words } from './memory.ts';

/**
 * What a VMM was granted is what the function has: MSI-X is on after the last call that set triggers and off after the
 * last that disabled it, and each vector is armed as the last call about it said.
 * Source: vfio_pci_set_msi_trigger, Linux 6.1 and 6.12.
 */
export function watchVmmLayers(): GuestWatch {
  return remembering(
    () => new Granted(),
    (moment: GuestMoment, granted): readonly Breach[] =>
      ofEachGuest(moment, (view) => {
        const differs = view.calls === undefined ? null : granted.of(view.place).differs(view, view.calls);
        return differs ?? typeDiffers(moment.step.observation[view.place]) ?? vectorDiffers(view);
      }),
  );
}

/** What the calls for one device add up to. A vector of which they say nothing is not armed while MSI-X is on. */
export class Granted implements Memory<Granted> {
  on = false;
  readonly armed = new VectorMap<boolean | 'unknown'>();

  become(other: Granted): void {
    this.on = other.on;
    this.armed.become(other.armed);
  }

  tell(words: Words): void {
    words.put(flags(this.on));
  }

  tellVector(vector: number, words: Words): void {
    const armed = this.armed.get(vector);
    words.put(flags(armed === true, armed === 'unknown'));
  }

  #follow(call: VmmCall): void {
    if (call.kind !== 'vfio' || call.operation.kind !== 'vfio.setIrqs') return;
    const { operation, outcome } = call;
    if (operation.index !== VFIO_PCI_MSIX_IRQ_INDEX) return;
    const isGranted = outcome.kind === 'ok';
    if (disables(operation) && isGranted) {
      this.on = false;
      this.armed.clear();
    }
    // A call that should have turned MSI-X on and failed leaves it off.
    if (!setsVectors(operation) || (!isGranted && !this.on)) return;
    this.on = true;
    for (let place = 0; place < operation.count; place += 1)
      this.armed.set(operation.start + place, isGranted ? isEventfdName(operation.data[place]) : 'unknown');
  }

  differs(view: GuestView, calls: readonly VmmCall[]): string | null {
    for (const call of calls) this.#follow(call);
    if (this.on !== view.hostOn)
      return `the VMM was granted MSI-X ${this.on ? 'on' : 'off'} and it is ${view.hostOn ? 'on' : 'off'}`;
    if (calls.length === 0 && view.changed.length === 0) return null;
    for (let vector = this.armed.next(0); vector !== -1; vector = this.armed.next(vector + 1)) {
      const wrong = armedOtherwise(view, vector, this.armed.get(vector) ?? false);
      if (wrong !== null) return wrong;
    }
    for (const vector of view.changed) {
      const wrong = this.armed.get(vector) !== undefined ? null : armedOtherwise(view, vector, false);
      if (wrong !== null) return wrong;
    }
    return null;
  }
}

function armedOtherwise(view: GuestView, vector: number, granted: boolean | 'unknown'): string | null {
  const armed = (view.stateAfter(vector) & ARMED) !== 0;
  if (granted === 'unknown' || granted === armed) return null;
  return `vector ${vector} is ${armed ? 'armed and the VMM was not' : 'not armed and the VMM was'} granted it`;
}

function typeDiffers(seen: DeviceObservation | undefined): string | null {
  if (seen?.functionMask === true) return 'Function Mask is set at the host between operations';
  if (seen?.enable !== true || (seen.registers & INTX_HANDLER) === 0) return null;
  return 'INTx has its handler and MSI-X is on';
}

function vectorDiffers(view: GuestView): string | null {
  for (const vector of view.changed) {
    const state = view.stateAfter(vector);
    if ((state & ARMED) !== 0 && (state & ALLOCATED) === 0) return `vector ${vector} is armed and owns no Linux irq`;
    const live = state & (ARMED | UNMASKED);
    if (live === ARMED) return `vector ${vector} is armed and its entry is masked`;
    if (live === UNMASKED) return `vector ${vector} is not armed and its entry is unmasked`;
  }
  return null;
}
