import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Proof, Result } from '../../proof.ts';
import { residentMegabytes } from '../../resident.ts';
import { NormalClient } from '../normal-client.ts';
import { SourceRun } from '../source-run.ts';
import { sendBad, type BadCase } from './bad-case.ts';

const P99_MS = 1000;
/** Above what the hub took before: one budget of a listener that inflates. */
const GROWTH_MB = 160;
const EVERY_MS = 20;

export interface BadInput {
  readonly name: string;
  /** Listeners, each with what is sent to it. */
  readonly sent: Readonly<Record<string, { source: (port: number) => string; cases: readonly BadCase[] }>>;
}

/** Sends it all to a running hub, beside a client that behaves: each is answered as it has to be, and leaves nothing. */
export function proveBadInput({ name, sent }: BadInput): (proof: Proof) => Promise<Result> {
  return async ({ folder }) => {
    const listeners = {
      normal: (port: number): string => `http: { listen: '127.0.0.1:${port}', format: json }`,
      ...Object.fromEntries(Object.entries(sent).map(([key, { source }]) => [key, source])),
    };
    const all = Object.entries(sent).flatMap(([listener, { cases }]) =>
      cases.map((one) => ({ listener, one, bytes: one.bytes() })),
    );
    const run = await SourceRun.start({ folder: join(folder, 'hub'), name, listeners, brokers: null });
    try {
      const normal = new NormalClient(run.ports.normal!);
      const posting = normal.run();
      await sleep(2000);
      const memory = new Memory(run.life.pid);
      const problems: string[] = [];
      for (const { listener, one, bytes } of all) {
        const wrong = await sendBad(one, run.ports[listener]!, bytes);
        if (wrong !== null) problems.push(`${listener}, ${one.name}: ${wrong}`);
        if (!run.life.alive) throw new Error(`${one.name} ended the hub:\n${run.life.output}`);
      }
      normal.stop();
      await posting;
      const grown = await memory.grown();
      const expected = all.reduce((sum, { one }) => sum + (one.records ?? 0), normal.accepted);
      await run.holds(expected);
      await sleep(500);
      const stored = await run.stored();
      const p99 = normal.percentile(0.99);
      return {
        expected: all.length,
        rows: all.length - problems.length,
        lost: 0,
        duplicated: 0,
        note: `memory grew by ${Math.round(grown)} MB; a normal client meanwhile: ${normal.posted} posts, p99 ${Math.round(p99)} ms`,
        problems: [
          ...problems,
          ...(grown > GROWTH_MB ? [`memory grew by ${Math.round(grown)} MB`] : []),
          ...(p99 > P99_MS ? [`a normal client waits ${Math.round(p99)} ms (p99)`] : []),
          ...(normal.accepted < normal.posted ? [`${normal.posted - normal.accepted} normal posts were refused`] : []),
          ...(stored === expected ? [] : [`${stored} records are in the topic, not ${expected}`]),
        ],
        unjudged: [],
      };
    } finally {
      await run.end();
    }
  };
}

/** The most that a process took above what it began with. */
class Memory {
  readonly #pid: number;
  readonly #first: Promise<number | null>;
  readonly #timer: NodeJS.Timeout;
  #most = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#first = residentMegabytes(pid);
    this.#timer = setInterval(() => {
      void this.#look();
    }, EVERY_MS);
  }

  async grown(): Promise<number> {
    clearInterval(this.#timer);
    await this.#look();
    return this.#most - ((await this.#first) ?? 0);
  }

  async #look(): Promise<void> {
    this.#most = Math.max(this.#most, (await residentMegabytes(this.#pid)) ?? 0);
  }
}
