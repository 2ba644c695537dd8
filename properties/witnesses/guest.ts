import { firstMessage, GUEST_KINDS, type Platform, type Step, type Window } from '#vocabulary';
import { atOnce, hasEvent, inTurn, isRaisedIn, type Look, type Witness } from './witness.ts';

const FIRST_DATA = firstMessage(0, 0).data;

/** The VMM tears everything down to give its guest one more vector. */
const tearsDown = ({ host, vmm }: Platform): boolean =>
  vmm?.allocation === 'vector-0-first' || (vmm?.allocation === 'as-irq-info-says' && !host.dynamicMsix);

/** There is another call of vfio than those at enable. */
const addsLater = ({ vmm }: Platform): boolean => vmm?.allocation !== 'all-at-enable';

function asksForVectors({ calls = [] }: Step, isRefused: boolean): boolean {
  return calls.some(
    (call) =>
      call.kind === 'vfio' &&
      call.operation.kind === 'vfio.setIrqs' &&
      call.operation.data.length > 0 &&
      (call.outcome.kind === 'errno' || call.outcome.kind === 'positive') === isRefused,
  );
}

function isDelivered(step: Step): boolean {
  return hasEvent(step, 'message') && !hasEvent(step, 'raised');
}

function met(window: Window, oneIn: number, isPossible?: Witness['isPossible']): Witness {
  return {
    name: `a raise in a reaction's ${window}`,
    oneIn,
    needs: ['device.arm'],
    ...(isPossible === undefined ? {} : { isPossible }),
    watch: atOnce((_, { events }) => isRaisedIn(events, window)),
  };
}

function hasChangedMessage(events: Step['events']): boolean {
  for (const event of events)
    if (event.kind === 'message' && event.address !== firstMessage(event.device, event.data - FIRST_DATA).address)
      return true;
  return false;
}

/** A vector that the guest has masked has an event when others have come since. */
function watchMaskedAcrossGrowth(): Look {
  const masked = new Map<number, boolean>();
  return (operation, step) => {
    if (operation.kind === 'guest.mask' && operation.device === 0) masked.set(operation.vector, false);
    if (operation.kind === 'guest.unmask' && operation.device === 0) {
      masked.delete(operation.vector);
      if (asksForVectors(step, false)) for (const vector of masked.keys()) masked.set(vector, true);
    }
    return operation.kind === 'device.raise' && operation.device === 0 && masked.get(operation.vector) === true;
  };
}

/** What a guest must have come across. */
export const GUEST_WITNESSES: readonly Witness[] = [
  {
    name: 'an interrupt pending across an unmask',
    oneIn: 12,
    needs: ['device.raise', 'guest.unmask'],
    looksAt: ['guest.unmask'],
    watch: atOnce((_, step) => isDelivered(step)),
  },
  {
    name: 'an interrupt held back by Function Mask',
    oneIn: 18,
    needs: ['device.raise', 'guest.msixControl'],
    looksAt: ['guest.msixControl'],
    watch: inTurn(
      (operation) => operation.kind === 'guest.msixControl' && operation.enable && operation.functionMask,
      (operation, step) =>
        operation.kind === 'guest.msixControl' && operation.enable && !operation.functionMask && isDelivered(step),
    ),
  },
  {
    name: 'a growth refused for shortage, and then granted',
    oneIn: 55,
    needs: ['host.limitVectors', 'host.failAllocation'],
    looksAt: GUEST_KINDS,
    watch: inTurn(
      (_, step) => asksForVectors(step, true),
      (_, step) => asksForVectors(step, false),
    ),
  },
  met('teardown-gap', 20, tearsDown),
  met('before-call', 30),
  met('after-set', 45),
  {
    name: 'an event of a masked vector after others have come',
    oneIn: 32,
    needs: ['device.raise'],
    isPossible: addsLater,
    looksAt: ['guest.mask', 'guest.unmask', 'device.raise'],
    watch: watchMaskedAcrossGrowth,
  },
  {
    name: 'a message that the guest has changed',
    oneIn: 40,
    needs: ['guest.tableWrite'],
    watch: atOnce((_, { events }) => hasChangedMessage(events)),
  },
  {
    name: 'an interrupt delivered after a reset by the guest',
    oneIn: 100,
    needs: ['guest.reset'],
    watch: inTurn(
      ({ kind }) => kind === 'guest.reset',
      (_, step) => hasEvent(step, 'message'),
    ),
  },
];
