import { ARMED, printVectorState, UNMASKED } from '#vocabulary';
import type { GuestView } from './guest-moment.ts';
import { type Breach, type GuestWatch, type Invariant, ofEachGuest } from './invariant.ts';

const LIVE = ARMED | UNMASKED;

/** In which order a guest wrote what it wrote cannot be seen from what is delivered. */
export const orderIndependence: Invariant = {
  id: 'order-independence',
  promise:
    'As long as the host refuses nothing, what can be delivered depends on what the guest has written and not on the ' +
    'order: MSI-X is on at the host when the guest has it on, and every vector that the guest has open is armed.',
  source: 'PCIe 6.0, 6.1.4 and 7.7.2; the contract of this suite, order independence of guest writes',
  startGuest:
    (): GuestWatch =>
    (moment): readonly Breach[] =>
      ofEachGuest(moment, hostDiffers),
};

function hostDiffers(view: GuestView): string | null {
  const { gates, hostOn, anyRefused, unmasked } = view;
  if (!gates.enable) return hostOn ? 'the guest has MSI-X off and it is on at the host' : null;
  if (anyRefused) return null;
  if (!hostOn) return 'the guest has MSI-X on and it is off at the host';
  // What has not changed has been judged before.
  if (gates.functionMask || (gates === view.gatesBefore && !hasChanged(view))) return null;
  for (let vector = unmasked.next(0); vector !== -1; vector = unmasked.next(vector + 1)) {
    const state = view.stateAfter(vector);
    if ((state & LIVE) !== LIVE)
      return `vector ${vector} is open to the guest and is ${printVectorState(state)} at the host`;
  }
  return null;
}

function hasChanged({ changed, touched }: GuestView): boolean {
  return changed.length > 0 || touched.length > 0;
}
