import { createSocket, type Socket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { describeError, SluiceError, type ListenAddress } from '../api/index.ts';
import { METRIC } from '../telemetry/index.ts';
import { DatagramIntake, type IntakeOptions } from './datagram-intake.ts';
import type { GatheredRecords } from './gathered-records.ts';
import { formatAddress } from './listen.ts';

export interface DatagramOptions<
  Gathering extends { readonly records: GatheredRecords },
> extends IntakeOptions<Gathering> {
  readonly address: ListenAddress;
}

/** What the kernel holds while we are busy; it takes what it allows (net.core.rmem_max). */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
const LOOK_MS = 10_000;

/**
 * Receives datagrams until the source is asked to end. There is nobody to hold back: what finds no room is lost, counted in `sluice_source_lost_total` and said. Rejects
 * with `LISTENER_IN_USE`.
 */
export async function receiveDatagrams<Gathering extends { readonly records: GatheredRecords }>(
  options: DatagramOptions<Gathering>,
): Promise<void> {
  const { context } = options;
  const socket = await bindUdp(options.address);
  const intake = new DatagramIntake(options, 'udp');
  let refused = 0;
  try {
    const { address: host, port } = socket.address();
    context.report(`listening udp ${host === '127.0.0.1' ? `:${port}` : formatAddress({ host, port })}`);
    socket.on('error', (error) => {
      context.log.warn({ error: describeError(error) }, 'Datagram could not be received');
    });
    socket.on('message', (bytes, from) => {
      if (intake.hasRoom) intake.take(bytes, from.address);
      else refused++;
    });
    let lostBefore = 0;
    while (!context.signal.aborted) {
      await context.clock.sleep(LOOK_MS, context.signal).catch(() => undefined);
      const lost = refused + (await kernelDrops(port));
      if (lost > lostBefore) {
        context.metrics.count(METRIC.sourceLost.name, lost - lostBefore);
        context.log.error(
          { lost: lost - lostBefore },
          'Datagrams found no room and are lost; use TCP, or fewer senders',
        );
      }
      lostBefore = lost;
    }
  } finally {
    socket.close();
    await intake.flush();
  }
}

/** Rejects with `LISTENER_IN_USE`. */
export function bindUdp(address: ListenAddress): Promise<Socket> {
  const type = isIPv6(address.host) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      const action = `listening on UDP ${formatAddress(address)}`;
      reject(new SluiceError('LISTENER_IN_USE', action, { retryable: true, cause: error }));
    };
    socket.once('error', refuse);
    socket.bind(address.port, address.host, () => {
      socket.removeListener('error', refuse);
      resolve(socket);
    });
  });
}

/** Datagrams that the kernel dropped since it held too many already: the last column of Linux' /proc/net/udp; 0 where there is none. */
async function kernelDrops(port: number): Promise<number> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let drops = 0;
  for (const table of ['/proc/net/udp', '/proc/net/udp6']) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.endsWith(suffix) === true) drops += Number(columns.at(-1));
    }
  }
  return drops;
}
