import type { Message } from '#vocabulary';

const KVM_IRQFD_FLAG_DEASSIGN = 1;

/**
 * What QEMU has told KVM. No eventfd that KVM listens to is ever really signalled: what KVM would do with it is said by
 * the routes, which are all it knows.
 */
export class Irqfds {
  readonly #gsis = new Map<number, number>();
  readonly #routes = new Map<number, Message>();

  has(serial: number): boolean {
    return this.#gsis.has(serial);
  }

  /** A `k` line: KVM_IRQFD has returned. */
  follow([serial = -1, , gsi = 0, flags = 0, result = 0]: readonly number[]): { serial: number; assign: boolean } {
    const assign = (flags & KVM_IRQFD_FLAG_DEASSIGN) === 0;
    if (!assign) this.#gsis.delete(serial);
    else if (result === 0) this.#gsis.set(serial, gsi);
    return { serial, assign };
  }

  close(serial: number): void {
    this.#gsis.delete(serial);
  }

  /** A `g` line: KVM_SET_GSI_ROUTING has returned. It replaces all routes. */
  route(entries: readonly string[]): void {
    this.#routes.clear();
    for (const entry of entries) {
      const [gsi = 0, address = 0, high = 0, data = 0] = entry.split(':').map(Number);
      this.#routes.set(gsi, { address, high, data });
    }
  }

  /** The message by which KVM delivers a signal; undefined where it is QEMU that delivers. */
  message(serial: number): Message | undefined {
    const gsi = this.#gsis.get(serial);
    return gsi === undefined ? undefined : this.#routes.get(gsi);
  }
}
