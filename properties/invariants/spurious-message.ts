import { type Message, printEvent } from '#vocabulary';
import type { GuestView } from './guest-moment.ts';
import { type Breach, type GuestWatch, KEPT } from './invariant.ts';

/**
 * Every message is told by an event of its vector: one that waited, or one of this step, and not while the guest has
 * the vector masked. It is what the entry says, or has said since it was last masked.
 * Source: PCIe 6.0, 6.1.4.2 and 6.1.4.5.
 */
export function watchSpuriousMessages(): GuestWatch {
  return ({ devices, index }): readonly Breach[] => {
    let breaches = KEPT;
    for (const view of devices) {
      for (const unexplained of view.settled.unexplained) {
        const message = `${messageInWords(view, unexplained)} came, and ${reasonAgainst(view, unexplained)}`;
        breaches = [...breaches, { step: index, causes: [index], message }];
      }
    }
    return breaches;
  };
}

/** A message as events print it: `message 0x4001 to 0x100004`. */
export function messageInWords({ place }: GuestView, message: Message): string {
  return printEvent({ kind: 'message', device: place, ...message, count: 1 });
}

/** Whose message it is, and what is against it. */
function reasonAgainst(view: GuestView, { address, high, data }: Message): string {
  const owners: number[] = [];
  for (let vector = 0; vector < view.config.msixVectors; vector += 1) {
    const same = view
      .messages(vector)
      .some((message) => message.address === address && message.high === high && message.data === data);
    if (same) owners.push(vector);
  }
  if (!view.gates.enable) return 'the guest has MSI-X off';
  if (owners.length === 0) return 'no entry has it';
  if (view.gates.functionMask) return 'the guest has Function Mask set';
  const [vector] = owners.filter((owner) => view.isOpen(owner));
  return vector === undefined ? `the guest has vector ${owners[0]} masked` : `vector ${vector} had no event to tell`;
}
