import { createSocket, type Socket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { describeError, SluiceError, type ListenAddress, type SourceContext } from '../api/index.ts';
import { METRIC } from '../telemetry/index.ts';
import type { GatheredRecords } from './gathered-records.ts';
import { formatAddress } from './listen.ts';

export interface DatagramOptions<Gathering extends { readonly records: GatheredRecords }> {
  readonly address: ListenAddress;
  readonly context: SourceContext;
  /** Makes what the datagrams of one turn of the event loop are gathered in. */
  readonly gather: () => Gathering;
  /** Adds what a datagram holds. */
  readonly take: (gathering: Gathering, bytes: Buffer, client: string) => void;
}

/** What the kernel holds while we are busy; it takes what it allows (net.core.rmem_max). */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
/** Beyond it datagrams that come before the last ones found room are lost. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;
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
  const intake = new DatagramIntake(options);
  try {
    const { address: host, port } = socket.address();
    context.report(`listening udp ${host === '127.0.0.1' ? `:${port}` : formatAddress({ host, port })}`);
    socket.on('error', (error) => {
      context.log.warn({ error: describeError(error) }, 'Datagram could not be received');
    });
    socket.on('message', (bytes, from) => {
      intake.take(bytes, from.address);
    });
    let lostBefore = 0;
    while (!context.signal.aborted) {
      await context.clock.sleep(LOOK_MS, context.signal).catch(() => undefined);
      const lost = intake.lost + (await kernelDrops(port));
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

class DatagramIntake<Gathering extends { readonly records: GatheredRecords }> {
  /** Datagrams that found no room here. */
  lost = 0;
  readonly #options: DatagramOptions<Gathering>;
  #gathering: Gathering;
  #waitingBytes = 0;
  #isScheduled = false;
  #emits: Promise<void> = Promise.resolve();

  constructor(options: DatagramOptions<Gathering>) {
    this.#options = options;
    this.#gathering = options.gather();
  }

  take(bytes: Buffer, client: string): void {
    if (this.#gathering.records.batchBytes + this.#waitingBytes > MOST_WAITING_BYTES) {
      this.lost++;
      return;
    }
    this.#options.take(this.#gathering, bytes, client);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      void this.flush();
    });
  }

  /** What came in one turn of the event loop is one batch. Resolves when the engine has it. */
  flush(): Promise<void> {
    this.#isScheduled = false;
    const { records } = this.#gathering;
    if (records.isEmpty) return this.#emits;
    this.#gathering = this.#options.gather();
    const bytes = records.batchBytes;
    this.#waitingBytes += bytes;
    this.#emits = this.#emits
      .then(() => records.emit(this.#options.context, { stream: 'udp' }))
      .then(({ durable }) => {
        // Nobody can be told; the log says why.
        durable.catch(() => undefined);
      })
      .catch(() => undefined)
      .then(() => {
        this.#waitingBytes -= bytes;
      });
    return this.#emits;
  }
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
