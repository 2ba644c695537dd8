import { type Layout, setUpMachine } from '../qemu/guest.ts';
import { machineArguments } from '../qemu/qemu.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { findLayout } from './guest.ts';
import { INNER_PROGRAM, INNER_SYSFS } from './image.ts';
import { Client, type Ended, onLines } from './lines.ts';
import type { Outer } from './outer.ts';

/** Sent on both channels between two QEMUs, in both directions: nothing before it is for who comes after. */
const MARK = '~';

/** The place of an inner QEMU: it runs one after the other on a device of the outer machine. */
export class Inner {
  readonly #outer: Outer;
  readonly #place: number;
  readonly #qtest: Client;
  #gatekeeper: Gatekeeper | undefined;
  #layout: Layout | undefined;
  /** Marks that are still to come back, and who waits for them. */
  #marks = { qtest: 0, gate: 0 };
  #ended: Ended | undefined;

  constructor(outer: Outer, place: number) {
    this.#outer = outer;
    this.#place = place;
    const { qtest, gate } = outer.channelsOf(place);
    this.#qtest = new Client(qtest, 'the inner QEMU');
    onLines(qtest, (line) => this.#answered(line));
    onLines(gate, (line) => this.#said(line));
  }

  get gatekeeper(): Gatekeeper {
    if (this.#gatekeeper === undefined) throw new Error('no inner QEMU was started');
    return this.#gatekeeper;
  }

  get layout(): Layout {
    if (this.#layout === undefined) throw new Error('no inner QEMU was started');
    return this.#layout;
  }

  /** Starts a QEMU if there is none. */
  async start(): Promise<void> {
    if (this.#layout !== undefined) return;
    const { qtest, gate } = this.#outer.channelsOf(this.#place);
    this.#marks = { qtest: 1, gate: 1 };
    this.#ended = undefined;
    this.#gatekeeper = new Gatekeeper(
      (vector) => this.#outer.raise(this.#place, vector),
      (line) => void gate.write(`${line}\n`, 'latin1'),
    );
    for (const channel of [qtest, gate]) channel.write(`${MARK}\n`, 'latin1');
    const address = this.#outer.devices[this.#place]?.address ?? '';
    // Without mappings every access of the guest is a call.
    const device = `host=${address},x-no-mmap=on`;
    const shown = { accelerator: 'tcg', qtest: 'stdio,id=qtest,signal=off', device, sysfs: INNER_SYSFS } as const;
    await this.#outer.startInner(this.#place, [...INNER_PROGRAM, ...machineArguments(shown)]);
    await this.ask(setUpMachine());
    this.#layout = await findLayout((lines) => this.ask(lines));
  }

  /** Does lines of qtest in order, and returns what each answers behind its OK. @throws Ended */
  async ask(lines: readonly string[]): Promise<string[]> {
    if (this.#ended !== undefined) throw this.#ended;
    const answers = await this.#qtest.ask(lines);
    return answers.map((answer) => {
      if (!answer.startsWith('OK')) throw new Error(`QEMU refused a line of qtest: ${answer}`);
      return answer.slice(3);
    });
  }

  /** It has ended, or nobody knows what it does: the next one starts afresh. */
  fail(error: Ended): void {
    this.#ended = error;
    this.#layout = undefined;
    this.#qtest.fail(error);
  }

  #answered(line: string): void {
    if (line === MARK) this.#marks.qtest = 0;
    else if (this.#marks.qtest === 0) this.#qtest.take(line);
  }

  #said(line: string): void {
    if (line === MARK) {
      this.#marks.gate = 0;
      return;
    }
    if (this.#marks.gate > 0 || this.#gatekeeper === undefined) return;
    const failed = (error: unknown): void => {
      this.#qtest.fail(error instanceof Error ? error : new Error(String(error)));
    };
    this.#gatekeeper.take(line).catch(failed);
  }
}
