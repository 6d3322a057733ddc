import { encode } from '@msgpack/msgpack';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMegabytes } from '../../scripts/prove/resident.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import { startHub } from '../hub.ts';
import { hubContestant } from '../hub-contestant.ts';
import type { Bench, Contestant, Path } from '../path.ts';
import type { RunningProgram } from '../process.ts';
import type { Measurement } from '../stage.ts';

const CONNECTIONS = 2000;
/** So many are opened at once: more would only wait in the kernel's queue. */
const OPENED_AT_ONCE = 100;
const WATCHED_MS = 10_000;

interface Protocol {
  readonly source: string;
  /** What a client sends before it falls silent. */
  readonly sent: Buffer;
}

const forwarded = Buffer.from(encode(['idle', 1_700_000_000, { message: 'x'.repeat(300) }]));
const protocols: readonly Protocol[] = [
  { source: 'fluentd', sent: forwarded },
  { source: 'syslog', sent: Buffer.from(`<13>1 - - - - - - ${'x'.repeat(300)}\n`) },
];

/** What clients cost that are connected, have sent something, and say nothing. */
export const idleConnections: Path = {
  name: 'idle-connections',
  contestants: protocols.map(contender),
};

function contender(protocol: Protocol): Contestant {
  return hubContestant({
    system: `sluice, ${protocol.source}`,
    codec: 'none',
    measure: (bench, folder) => measureIdle(bench, folder, protocol),
  });
}

async function measureIdle({ watch }: Bench, folder: string, { source, sent }: Protocol): Promise<Measurement> {
  const [port] = (await freePorts(1)) as [number];
  const pipeline = `sources: [{ ${source}: { listen: '127.0.0.1:${port}' } }]\ntopic: { name: idle }\n`;
  const running = await startHub({ folder, kafka: null, pipelines: [pipeline] });
  const sockets: Socket[] = [];
  try {
    // What the first message loads is not the connections'.
    sockets.push(...(await openAll(port, sent, 1)));
    await sleep(2000);
    const before = await residentOf(running);
    const { cpuSeconds: startup } = await running.usage();
    await watch.begin(running);
    while (sockets.length <= CONNECTIONS) sockets.push(...(await openAll(port, sent, OPENED_AT_ONCE)));
    await sleep(2000);
    const { cpuSeconds: opened } = await running.usage();
    await sleep(WATCHED_MS);
    const { cpuSeconds, peakRssMegabytes } = await running.usage();
    const grown = (await residentOf(running)) - before;
    await watch.end(running);
    return {
      recordsPerSecond: 0,
      cpuSecondsPerMillion: 0,
      startupCpuSeconds: startup,
      peakRssMegabytes,
      more: { connections_mb: grown, idle_cpu_percent: ((cpuSeconds - opened) / (WATCHED_MS / 1000)) * 100 },
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await running.stop();
  }
}

/** Connections of clients that have sent `sent`. */
function openAll(port: number, sent: Buffer, count: number): Promise<Socket[]> {
  const open = async (): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.write(sent);
    return socket;
  };
  return Promise.all(Array.from({ length: count }, open));
}

async function residentOf(running: RunningProgram): Promise<number> {
  const megabytes = await residentMegabytes(running.pid);
  if (megabytes === null) throw new Error(`the hub ended:\n${(await running.output()).slice(-2000)}`);
  return megabytes;
}
