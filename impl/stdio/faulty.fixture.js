// A harness that does one thing wrong, named by its first argument. The second, where there is one, is a file that it
// makes the first time it is started. It needs nothing but Node, so that it starts at once.
import { existsSync, writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [fault, marker] = process.argv.slice(2);
const isFirst = marker !== undefined && !existsSync(marker);
if (isFirst) writeFileSync(marker, '');

const MEBIBYTE = 2 ** 20;
/** Of one that is lazy: answers that are written when there has been nothing to read for a while. */
const isLazy = fault.startsWith('lazy');
let unwritten = '';
/** Scenarios of which answers are not written. */
let kept = 0;
function say(reply) {
  const line = `${JSON.stringify(reply)}\n`;
  if (!isLazy) write(1, line);
  else {
    if (unwritten === '') setTimeout(flush, 50);
    unwritten += line;
  }
}

function flush() {
  write(1, unwritten);
  unwritten = '';
  kept = 0;
}

/** Writes all of it, also where whoever reads is slow. */
function write(fd, text) {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

/** Writes until somebody ends it. */
function forever(fd, text) {
  for (;;) write(fd, text);
}

function run({ seq, operations, flush: isFlushing }) {
  if (isFlushing) flush();
  const answers = operations.map((_, step) => ({ seq, step }));
  if (answers.length === 0) return;
  const isDeadly = operations.some(({ vector }) => vector === 9);
  switch (fault) {
    case 'lazy-exit':
      if (isDeadly) process.exit(3);
      kept += 1;
      answers[0].outcome = { positive: kept };
      break;
    case 'lazy-hang':
      if (isDeadly) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      break;
    case 'lazy-once':
      if (isDeadly && isFirst) process.exit(3);
      break;
    case 'hang':
      write(2, 'thinking about it\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return;
    case 'flood':
      forever(2, 'all is well\n'.repeat(4096));
      return;
    case 'chatty':
      write(2, 'all is well\n'.repeat(200_000));
      break;
    case 'endless-line':
      forever(1, ' '.repeat(MEBIBYTE));
      return;
    case 'endless-lines':
      say(answers[0]);
      forever(1, `${JSON.stringify(answers[0])}\n`.repeat(4096));
      return;
    case 'long-line':
      write(1, `{"seq":${' '.repeat(10 * MEBIBYTE)}${seq}}\n`);
      return;
    case 'order':
      answers.reverse();
      break;
    case 'sequence':
      for (const answer of answers) answer.seq -= 1;
      break;
    case 'half':
      write(2, 'assertion failed: vector < table\n');
      say(answers[0]);
      write(1, `{"seq":${seq},"st`);
      process.kill(process.pid, 'SIGABRT');
      return;
    case 'exit':
      write(2, 'out of ideas\n');
      process.exit(3);
      return;
    case 'once':
      if (isFirst) process.exit(3);
      break;
    case 'not-json':
      write(1, 'DEBUG: entering run\n');
      break;
    case 'shape':
      answers[0].signal = { e0: 1 };
      break;
    case 'remembers':
      if (runs > 1) answers[0].outcome = 'EBUSY';
      break;
    case 'drifts':
      if (runs > 3) answers[0].outcome = 'EBUSY';
      break;
    case 'state':
      answers[0].devices = { 1: { vectors: { 0: 1 } } };
      break;
    case 'skips':
      say({ ...answers[0], skipped: 'no interrupts on Sundays' });
      return;
    case 'errors':
      say({ ...answers[0], errored: 'the device was taken away' });
      return;
  }
  for (const answer of answers) say(answer);
}

const STATE = { devices: { 0: { msixInfoFlags: 1 } } };
const HELLO = {
  protocol: fault === 'newer' ? 2 : 1,
  name: fault,
  host: fault === 'tiny' ? 'own' : 'any',
  operations: ['device.raise', 'vfio.setIrqs', 'vfio.getIrqInfo'],
  functions: [{ msixVectors: fault === 'tiny' ? 1 : 10 }],
};
let refused;
let runs = 0;

/** What is the matter with how a machine is set up, or undefined. */
function refusal({ devices }) {
  if (fault === 'dies-at-configure') process.exit(4);
  if (fault === 'refuses') return 'not today';
  return devices.length > 1 && fault !== 'accepts' ? 'one device' : undefined;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { seq, message, config, operations } = JSON.parse(line);
  if (message === 'configure') refused = refusal(config);
  if (message === 'hello') say({ seq: fault === 'small' ? seq | 0 : seq, ...HELLO });
  else if (message === 'stop') {
    if (fault === 'stays') setInterval(() => undefined, 1000);
    else {
      say({ seq });
      break;
    }
  } else if (refused !== undefined) say({ seq, skipped: refused });
  else if (message === 'run') {
    runs += 1;
    run({ seq, operations });
  } else if (message === 'observe' && fault === 'hides') say({ seq, devices: { 0: { enable: true } } });
  else say({ seq, ...STATE });
}
