import { type EventfdName, type EventfdRole, vmmEventfd } from '#vocabulary';

/**
 * QEMU's eventfds: the shim knows each by a serial number that no other has. A name is given when QEMU first hands one
 * to vfio, for what it is used there, and stays until QEMU closes it: so one that turns up elsewhere shows.
 */
export class EventfdNames {
  readonly #names = new Map<number, EventfdName>();
  readonly #serials = new Map<EventfdName, number>();

  name(serial: number, role: EventfdRole, vector: number): EventfdName {
    const known = this.#names.get(serial);
    if (known !== undefined) return known;
    const name = vmmEventfd(0, role, vector);
    this.#names.set(serial, name);
    this.#serials.set(name, serial);
    return name;
  }

  nameOf(serial: number): EventfdName | undefined {
    return this.#names.get(serial);
  }

  /** The eventfd that has the name now; undefined when that is closed. */
  serialOf(name: EventfdName): number | undefined {
    return this.#serials.get(name);
  }

  /** Returns the name that is free from now on, if there was one. */
  close(serial: number): EventfdName | undefined {
    const name = this.#names.get(serial);
    this.#names.delete(serial);
    if (name !== undefined && this.#serials.get(name) === serial) this.#serials.delete(name);
    return name;
  }
}
