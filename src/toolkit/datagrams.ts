import { createSocket, type Socket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { describeError, SluiceError, type ListenAddress, type Metrics } from '../api/index.ts';
import { METRIC } from '../telemetry/index.ts';
import { Networks } from './client-address.ts';
import { DatagramIntake, type IntakeOptions } from './datagram-intake.ts';
import type { GatheredRecords } from './gathered-records.ts';
import { formatAddress } from './listen.ts';
import type { TurnedAway } from './listener-meter.ts';

export interface DatagramOptions<
  Gathering extends { readonly records: GatheredRecords },
> extends IntakeOptions<Gathering> {
  readonly address: ListenAddress;
  /** Where datagrams may come from; unset: from everywhere. */
  readonly allow?: readonly string[] | undefined;
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
  const sender = new SenderCheck(options.allow);
  let refused = 0;
  try {
    const { address: host, port } = socket.address();
    context.report(`listening udp ${host === '127.0.0.1' ? `:${port}` : formatAddress({ host, port })}`);
    socket.on('error', (error) => {
      context.log.warn({ error: describeError(error) }, 'Datagram could not be received');
    });
    socket.on('message', (bytes, from) => {
      if (!sender.admits(from.address)) return;
      if (intake.hasRoom) intake.take(bytes, from.address);
      else refused++;
    });
    let lostBefore = 0;
    while (!context.signal.aborted) {
      await context.clock.sleep(LOOK_MS, context.signal).catch(() => undefined);
      sender.count(context.metrics);
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
    sender.count(context.metrics);
    await intake.flush();
  }
}

/** Many datagrams in a row come from one sender, which is looked up once. */
class SenderCheck {
  readonly #networks: Networks | null;
  #address = '';
  #isAllowed = false;
  #turnedAway = 0;

  constructor(allow: readonly string[] | undefined) {
    this.#networks = allow === undefined ? null : new Networks(allow);
  }

  admits(address: string): boolean {
    if (this.#networks === null) return true;
    if (address !== this.#address) {
      this.#address = address;
      this.#isAllowed = this.#networks.has(address);
    }
    if (!this.#isAllowed) this.#turnedAway++;
    return this.#isAllowed;
  }

  /** Those since it was called last. */
  count(metrics: Metrics): void {
    if (this.#turnedAway > 0)
      metrics.count(METRIC.listenerTurnedAway.name, this.#turnedAway, { reason: 'address' satisfies TurnedAway });
    this.#turnedAway = 0;
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
