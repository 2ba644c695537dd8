// A harness that does one thing wrong, named by its first argument. The second, where there is one, is a file that it
// makes the first time it is started. It needs nothing but Node, so that it starts at once.
import { existsSync, writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [fault, marker] = process.argv.slice(2);
const isFirst = marker !== undefined && !existsSync(marker);
if (isFirst) writeFileSync(marker, '');

const MEBIBYTE = 2 ** 20;
const say = (reply) => write(1, `${JSON.stringify(reply)}\n`);

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

function run({ seq, operations }) {
  const answers = operations.map((_, step) => ({ seq, step }));
  if (answers.length === 0) return;
  switch (fault) {
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

for await (const line of createInterface({ input: process.stdin })) {
  const { seq, ...message } = JSON.parse(line);
  if (message.message === 'hello')
    say({
      seq,
      protocol: 1,
      name: fault,
      host: 'any',
      operations: ['device.raise', 'vfio.setIrqs'],
      functions: [{ msixVectors: 10 }],
    });
  else if (message.message === 'configure' && fault === 'refuses') say({ seq, skipped: 'not today' });
  else if (message.message === 'configure' && fault === 'dies-at-configure') process.exit(4);
  else if (message.message !== 'stop' && fault === 'refuses') say({ seq, skipped: 'not today' });
  else if (message.message === 'run') run({ seq, ...message });
  else if (message.message === 'stop' && fault === 'stays') setInterval(() => undefined, 1000);
  else say({ seq, ...(message.message === 'stop' ? {} : { devices: { 0: { msixInfoFlags: 1 } } }) });
  if (message.message === 'stop' && fault !== 'stays') break;
}
