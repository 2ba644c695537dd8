import type { Event } from '#vocabulary';
import { Arena, type Mutable } from './pool.ts';

type MessageEvent = Mutable<Extract<Event, { kind: 'message' }>>;

function makeMessage(): MessageEvent {
  return { kind: 'message', device: 0, address: 0, high: 0, data: 0, count: 0 };
}

function compare(event: MessageEvent, device: number, address: number, high: number, data: number): number {
  return event.device - device || event.high - high || event.address - address || event.data - data;
}

/** The messages that a guest received in one step, equal ones counted, by device, upper address, address and data. */
export class MessageList {
  readonly #messages = new Arena(makeMessage);
  readonly #received: MessageEvent[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The events of earlier steps are not valid any more. */
  reset(): void {
    this.#messages.reset();
    this.#length = 0;
  }

  /** The step is over; its events stay valid. */
  told(): void {
    this.#length = 0;
  }

  at(place: number): Event {
    return this.#received[place] as Event;
  }

  /** Mostly they come in order, and nothing moves. */
  add(device: number, address: number, high: number, data: number): void {
    let place = this.#length;
    for (; place > 0; place -= 1) {
      const before = this.#received[place - 1] as MessageEvent;
      const order = compare(before, device, address, high, data);
      if (order < 0) break;
      if (order > 0) continue;
      before.count += 1;
      return;
    }
    for (let moved = this.#length; moved > place; moved -= 1)
      this.#received[moved] = this.#received[moved - 1] as MessageEvent;
    const event = this.#messages.next();
    event.device = device;
    event.address = address;
    event.high = high;
    event.data = data;
    event.count = 1;
    this.#received[place] = event;
    this.#length += 1;
  }
}
