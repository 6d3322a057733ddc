import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { moments, type Proof, type Result } from '../proof.ts';
import { SourceRun } from './source-run.ts';

const NAME = 'sources-kill-syslog';
/** 20,000 a second. */
const BLOCK = 200;
const PAUSE_MS = 10;
/** What may be on its way at this rate when the hub is killed: a second of it. */
const LOST_A_KILL = 20_000;

const messageOf = (n: number): string => `<13>1 - proof app - - - {"n":${n}} Grüße\n`;

/**
 * One sender over TCP that learns of a kill by the end of its connection only, and goes on with the message that it has not written yet. syslog has no acknowledgement:
 * what was on its way is lost, and nothing else is; nothing is there twice.
 */
export async function proveKilledSyslog(proof: Proof): Promise<Result> {
  const { folder, lines } = proof;
  const source = (port: number): string => `syslog: { listen: '127.0.0.1:${port}' }`;
  const run = await SourceRun.start({
    folder: join(folder, 'hub'),
    name: NAME,
    listeners: { tcp: source },
    brokers: null,
  });
  try {
    const stops = moments(proof, lines);
    const sender = new Sender(run.ports.tcp!, lines);
    const sent = sender.send();
    for (const stop of stops) {
      while (sender.written < stop && run.life.alive) await sleep(2);
      await run.killed();
    }
    await sent;
    // Behind the last connection's beginning nothing was killed.
    await run.holds(lines - sender.begunAt);
    await settled(run);
    const { lost, ...counted } = await run.count({
      expected: lines,
      numberOf: (line) => Number(/\\"n\\":(\d+)/.exec(line.toString())?.[1] ?? NaN),
    });
    return {
      expected: lines - lost,
      rows: counted.rows,
      lost: 0,
      duplicated: counted.duplicated,
      note: `${stops.length} kills; ${lost} of ${lines} were on their way then and are lost: syslog acknowledges nothing`,
      problems: [
        ...(lost > stops.length * LOST_A_KILL ? [`${lost} are lost, more than what may be on its way`] : []),
        ...(counted.strange > 0 ? [`${counted.strange} that nobody sent`] : []),
      ],
      unjudged: [],
    };
  } finally {
    await run.end();
  }
}

/** Until nothing more comes. */
async function settled(run: SourceRun): Promise<void> {
  let before = -1;
  for (let now = await run.stored(); now !== before; now = await run.stored()) {
    before = now;
    await sleep(1000);
  }
}

class Sender {
  written = 0;
  /** The first message of the connection that it has. */
  begunAt = 0;
  readonly #port: number;
  readonly #count: number;

  constructor(port: number, count: number) {
    this.#port = port;
    this.#count = count;
  }

  async send(): Promise<void> {
    while (this.written < this.#count) {
      const socket = await this.#connected();
      this.begunAt = this.written;
      while (this.written < this.#count && !socket.destroyed) {
        const count = Math.min(BLOCK, this.#count - this.written);
        const first = this.written;
        this.written += count;
        const text = Array.from({ length: count }, (_each, at) => messageOf(first + at)).join('');
        if (!socket.write(text)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
        await sleep(PAUSE_MS);
      }
      socket.end();
    }
  }

  async #connected(): Promise<Socket> {
    for (;;) {
      const socket = connect(this.#port, '127.0.0.1').on('error', () => undefined);
      const isOpen = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => {
          resolve(true);
        });
        socket.once('close', () => {
          resolve(false);
        });
      });
      if (isOpen) return socket;
      await sleep(PAUSE_MS);
    }
  }
}
