import type { Lost } from './guest-events.ts';
import type { GuestMoment, GuestRaise } from './guest-moment.ts';
import { ascending, type Breach, type GuestWatch, KEPT } from './invariant.ts';

/**
 * An event that its device was entitled to make while the guest had MSI-X on becomes a message: at once when its vector
 * is open, and else in the very step in which it opens; as long as the device has it pending it is not lost.
 * Source: PCIe 6.0, 6.1.4.5; the question of the VFIO MSI-X virtualization mail of 2021.
 */
export function watchLostMessages(): GuestWatch {
  return (moment): readonly Breach[] => {
    let breaches = KEPT;
    for (const { settled } of moment.devices)
      for (const lost of settled.lost) breaches = [...breaches, breachOf(moment, lost)];
    return breaches;
  };
}

function breachOf({ index }: GuestMoment, { vector, raises, hostOffSince }: Lost): Breach {
  const made = raises.flatMap(({ raisedAt, armedAt }) => [raisedAt, armedAt ?? -1]);
  const last = raises.at(-1);
  const how = last === undefined ? 'had an event' : `raised ${whenRaised(last, hostOffSince)}`;
  return {
    step: index,
    causes: ascending([...made, hostOffSince ?? -1, index]),
    message: `vector ${vector} ${how} and its message never came`,
  };
}

function whenRaised({ window, raisedAt }: GuestRaise, hostOffSince: number | null): string {
  const at = window === null ? `in operation ${raisedAt}` : `in the ${window} of operation ${raisedAt}`;
  if (hostOffSince === null || hostOffSince === raisedAt) return at;
  return `${at}, after operation ${hostOffSince} had left MSI-X off at the host,`;
}
