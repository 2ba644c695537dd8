import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { BRIDGE_SLOT, FIRST_BELL_SLOT, FUNCTION_SLOT } from './guest.ts';
import { BELL_DEVICES } from './pci-devices.ts';

/** A program that is a QEMU, and what it takes to run it with the shim. */
export interface Program {
  /** The words before QEMU's own arguments. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The folder that stands for the devices in sysfs. */
  readonly sysfs: string;
}

/** Who delivers: `tcg` leaves it to QEMU, with `kvm` there are irqfds. No processor runs either way. */
export type Accelerator = 'tcg' | 'kvm';

/** QEMU is gone, or says nothing any more. */
export class QemuEnded extends Error {
  override readonly name = 'QemuEnded';
  readonly reason: 'crash' | 'time-out';

  constructor(reason: 'crash' | 'time-out', lastWords: string) {
    super(lastWords);
    this.reason = reason;
  }
}

/** A running QEMU. */
export interface Qemu {
  /** Does what the lines say, in order, and returns what each answers behind its OK. @throws QemuEnded */
  ask(lines: readonly string[]): Promise<string[]>;
  /** Ends it, and returns when it is gone. */
  end(): Promise<void>;
}

/** Answers a line of the shim; undefined for one that wants no answer. */
export type AnswerLine = (line: string) => string | undefined;

/** Time without an answer after which QEMU counts as hung. */
const ANSWER_TIMEOUT_MS = 10_000;
const LAST_LINES = 12;

export function startQemu(program: Program, accelerator: Accelerator, answerLine: AnswerLine): Qemu {
  const { sysfs } = program;
  const shown = { accelerator, qtest: 'socket,id=qtest,fd=4', device: `sysfsdev=${sysfs}/function`, sysfs };
  const [first = '', ...words] = [...program.words, ...machineArguments(shown)];
  // The machine dies with us, however we die.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', first, ...words], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...program.environment, VFIO_SHIM: '3' },
    // Out of our process group: Ctrl-C is for us, and the machine is ended when we are done.
    detached: true,
  });
  const lastWords = keepLastLines(child);
  serve(child.stdio[3] as Duplex, answerLine);
  return client(child, child.stdio[4] as Duplex, lastWords);
}

/** What differs between machines of ours. */
interface Shown {
  readonly accelerator: Accelerator;
  /** The character device that qtest speaks to, called `qtest`. */
  readonly qtest: string;
  /** The function, in the words of vfio-pci. */
  readonly device: string;
  /** The folder with the bells. */
  readonly sysfs: string;
}

/**
 * A machine with a bridge, behind it the function, and beside it bells and mailboxes. The function is alone behind its
 * bridge, so a reset of that bus is a reset of nothing else. It comes first, as a real one wants an empty container.
 */
export function machineArguments({ accelerator, qtest, device, sysfs }: Shown): string[] {
  const vfio = (which: string): string[] => ['-device', `vfio-pci,${which},rombar=0,x-req=off`];
  return [
    ...['-machine', 'q35', '-accel', accelerator, '-S', '-m', '8k', '-nodefaults', '-no-user-config'],
    ...['-display', 'none', '-chardev', qtest, '-qtest', 'chardev:qtest', '-qtest-log', 'none'],
    ...['-device', `pci-bridge,id=bridge,addr=${BRIDGE_SLOT},chassis_nr=1,shpc=off`],
    ...vfio(`${device},bus=bridge,addr=${FUNCTION_SLOT}`),
    ...BELL_DEVICES.flatMap((_, place) => vfio(`sysfsdev=${sysfs}/bell${place},addr=${FIRST_BELL_SLOT + place}`)),
  ];
}

function keepLastLines(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (data: Buffer) => {
    text = `${text}${data.toString('latin1')}`.slice(-16384);
  });
  return () => {
    const lines = text
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.includes('no available reset mechanism'));
    return lines.slice(-LAST_LINES).join('\n');
  };
}

function onLines(channel: Duplex, take: (line: string) => void): void {
  let rest = '';
  channel.setEncoding('latin1');
  channel.on('data', (data: string) => {
    const lines = `${rest}${data}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  // How it ended, the process says.
  channel.on('error', () => undefined);
}

function serve(channel: Duplex, answerLine: AnswerLine): void {
  onLines(channel, (line) => {
    const answer = answerLine(line);
    if (answer !== undefined) channel.write(`${answer}\n`, 'latin1');
  });
}

interface Waiting {
  readonly answers: string[];
  readonly expected: number;
  readonly resolve: (answers: string[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

function client(child: ChildProcess, channel: Duplex, lastWords: () => string): Qemu {
  let waiting: Waiting | undefined;
  let ended: string | undefined;
  const settle = (): Waiting | undefined => {
    const settled = waiting;
    waiting = undefined;
    clearTimeout(settled?.timer);
    return settled;
  };
  onLines(channel, (line) => {
    if (waiting === undefined) return;
    waiting.answers.push(line.slice(3));
    if (!line.startsWith('OK')) settle()?.reject(new Error(`QEMU refused a line of qtest: ${line}`));
    else if (waiting.answers.length === waiting.expected) {
      const { answers, resolve } = waiting;
      settle();
      resolve(answers);
    }
  });
  const finish = (how: string): void => {
    ended ??= how;
    settle()?.reject(new QemuEnded('crash', `${how}\n${lastWords()}`.trim()));
  };
  child.on('error', (error) => finish(error.message));
  // When all that it has written is read.
  child.on('close', (code, signal) => finish(`QEMU ended with ${signal ?? `code ${code}`}`));
  return {
    ask: (lines) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(new QemuEnded('crash', `${ended}\n${lastWords()}`.trim()));
        const timer = setTimeout(
          () =>
            settle()?.reject(new QemuEnded('time-out', `no answer for ${ANSWER_TIMEOUT_MS / 1000} s\n${lastWords()}`)),
          ANSWER_TIMEOUT_MS,
        );
        waiting = { answers: [], expected: lines.length, resolve, reject, timer };
        channel.write(`${lines.join('\n')}\n`, 'latin1');
      }),
    end: () => endOf(child),
  };
}

function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
