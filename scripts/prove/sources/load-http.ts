import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Proof, Result } from '../proof.ts';
import { residentMegabytes } from '../resident.ts';
import { NormalClient } from './normal-client.ts';
import { SourceRun } from './source-run.ts';

const P99_MS = 1000;
/** 2,000 connections in which nothing happens. */
const IDLE_GROWTH_MB = 100;
const DRIP_MS = 10_000;
const AT_ONCE = 200;

/** So many sockets that send a byte each ten seconds, of a head or of a body, while a client posts: it does not notice. */
export async function proveSlowLoris({ folder, lines: sockets }: Proof): Promise<Result> {
  const source = (port: number): string => `http: { listen: '127.0.0.1:${port}', format: json }`;
  const run = await started(folder, 'sources-slow-loris', source);
  try {
    const normal = new NormalClient(run.ports.listener!);
    const before = (await residentMegabytes(run.life.pid))!;
    const posting = normal.run();
    const slow = await openMany(run.ports.listener!, sockets, (socket, at) => {
      const head = 'POST / HTTP/1.1\r\nHost: proof\r\n';
      socket.write(at % 2 === 0 ? 'P' : `${head}Content-Length: 100\r\n\r\n1`);
    });
    for (let second = 0; second < 20; second++) {
      await sleep(1000);
      for (let at = second % 10; at < slow.length; at += DRIP_MS / 1000) slow[at]!.write('1');
    }
    const closed = slow.filter((socket) => socket.destroyed).length;
    normal.stop();
    await posting;
    const grown = (await residentMegabytes(run.life.pid))! - before;
    for (const socket of slow) socket.destroy();
    return judged(normal, {
      note: `${sockets} sockets, ${closed} of them closed by then; memory grew by ${Math.round(grown)} MB`,
      problems: closed === 0 ? ['no slow socket was closed'] : [],
    });
  } finally {
    await run.end();
  }
}

/** Connections on which nothing comes, for each of the listeners that keep them. */
export async function proveIdle({ folder, lines: sockets }: Proof): Promise<Result> {
  const source = (port: number): string => `fluentd: { listen: '127.0.0.1:${port}' }`;
  const run = await started(folder, 'sources-idle', source, {
    http: (port) => `http: { listen: '127.0.0.1:${port}', format: json }`,
  });
  try {
    const normal = new NormalClient(run.ports.http!);
    const posting = normal.run();
    await sleep(2000);
    const before = (await residentMegabytes(run.life.pid))!;
    const idle = await openMany(run.ports.listener!, sockets, () => undefined);
    await sleep(10_000);
    const grown = (await residentMegabytes(run.life.pid))! - before;
    normal.stop();
    await posting;
    const open = idle.filter((socket) => !socket.destroyed).length;
    for (const socket of idle) socket.destroy();
    return judged(normal, {
      note: `${open} connections; memory grew by ${Math.round(grown)} MB`,
      problems: [
        ...(open < sockets ? [`${sockets - open} connections were closed`] : []),
        ...(grown > IDLE_GROWTH_MB ? [`memory grew by more than ${IDLE_GROWTH_MB} MB`] : []),
      ],
    });
  } finally {
    await run.end();
  }
}

function started(
  folder: string,
  name: string,
  source: (port: number) => string,
  others: Readonly<Record<string, (port: number) => string>> = {},
): Promise<SourceRun> {
  return SourceRun.start({
    folder: join(folder, 'hub'),
    name,
    listeners: { listener: source, ...others },
    brokers: null,
  });
}

/** What the client that behaves saw is what counts. */
function judged(normal: NormalClient, { note, problems }: { note: string; problems: readonly string[] }): Result {
  const p99 = normal.percentile(0.99);
  return {
    expected: normal.posted,
    rows: normal.accepted,
    lost: 0,
    duplicated: 0,
    note: `${note}; a normal client: ${normal.posted} posts, p99 ${Math.round(p99)} ms`,
    problems: [
      ...problems,
      ...(p99 > P99_MS ? [`a normal client waits ${Math.round(p99)} ms (p99)`] : []),
      ...(normal.accepted < normal.posted ? [`${normal.posted - normal.accepted} posts were refused`] : []),
    ],
    unjudged: [],
  };
}

async function openMany(
  port: number,
  count: number,
  begin: (socket: Socket, at: number) => void,
): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.resume();
      return socket;
    });
    await Promise.all(some.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
    for (const socket of some) begin(socket, sockets.push(socket) - 1);
  }
  return sockets;
}
