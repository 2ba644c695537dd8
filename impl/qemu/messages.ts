import type { Event, Message } from '#vocabulary';

type MessageEvent = Event & { readonly kind: 'message' };

/** Messages of one step as events: equal ones joined and counted, by upper address, address and data. */
export function messageEvents(messages: readonly Message[]): MessageEvent[] {
  const counted = new Map<string, MessageEvent>();
  for (const { address, high, data } of messages) {
    const key = `${high}:${address}:${data}`;
    const count = (counted.get(key)?.count ?? 0) + 1;
    counted.set(key, { kind: 'message', device: 0, address, high, data, count });
  }
  return [...counted.values()].sort(
    (left, right) => left.high - right.high || left.address - right.address || left.data - right.data,
  );
}
