import { once } from 'node:events';
import type { ListenAddress, SourceContext } from '../api/index.ts';
import type { ByteBudget } from './byte-budget.ts';
import { Networks } from './client-address.ts';
import { formatAddress } from './listen.ts';
import { listenStream, type StreamClient, type StreamProtocol } from './stream-listener.ts';
import type { TlsOptions } from './tls.ts';
import type { UnixSocketOptions } from './unix-socket.ts';

/** As sources name them. */
export interface StreamSourceOptions {
  readonly listen: ListenAddress;
  /** Instead of `listen`. */
  readonly unix?: UnixSocketOptions;
  readonly tls?: TlsOptions;
  readonly allow?: readonly string[];
  readonly max_connections: number;
  readonly max_connections_per_address: number;
  readonly message_timeout: number;
  readonly keep_alive: number;
  /** Of what its clients sent. */
  readonly memory: ByteBudget;
  /** Default: `message_timeout`. */
  readonly handshake_timeout?: number;
}

/** What answers that are owed get when the source ends. */
const CLOSE_GRACE_MS = 10_000;

/** Serves a protocol over TCP, TLS or a Unix socket until the source is asked to end. `begun` is told the address over TCP, with the port that it got. */
export async function serveStreams(
  context: SourceContext,
  options: StreamSourceOptions,
  accept: (client: StreamClient) => StreamProtocol,
  begun: (address: ListenAddress) => Promise<void> | void = () => undefined,
): Promise<void> {
  const { signal, clock, log } = context;
  if (signal.aborted) return;
  const listener = await listenStream({
    address: options.listen,
    ...(options.unix === undefined ? {} : { unix: options.unix }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    limits: {
      maxConnections: options.max_connections,
      maxConnectionsPerAddress: options.max_connections_per_address,
      ...(options.allow === undefined ? {} : { allowed: new Networks(options.allow) }),
      handshakeTimeoutMs: options.handshake_timeout ?? options.message_timeout,
      messageTimeoutMs: options.message_timeout,
      idleMs: options.keep_alive,
    },
    accept,
    clock,
    log,
    metrics: context.metrics,
    heldBytes: () => options.memory.usedBytes,
  });
  try {
    if (options.unix === undefined) await begun(listener.address);
    context.report(`listening ${options.unix?.path ?? shortAddress(listener.address)}`);
    if (!isAborted(signal)) await once(signal, 'abort');
  } finally {
    await listener.close(CLOSE_GRACE_MS);
  }
}

/** This machine goes without saying. */
function shortAddress(address: ListenAddress): string {
  return address.host === '127.0.0.1' ? `:${address.port}` : formatAddress(address);
}

/** It may have been while something was awaited, which the compiler does not see. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
