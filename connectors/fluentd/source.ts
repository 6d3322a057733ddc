import type { Source, SourceContext } from 'sluice/api';
import { ByteBudget, formatAddress, Inflater, listenStream, type StreamListener } from 'sluice/toolkit';
import { Entries } from './entries.ts';
import { answerHeartbeats } from './heartbeat.ts';
import type { SourceOptions } from './options.ts';
import { Session, type Shared } from './session.ts';

/** What acknowledgements that are owed get when the source ends. */
const CLOSE_GRACE_MS = 10_000;
const SPARE_ENTRIES = 4;

/** Serves the forward protocol until it is asked to end; chunks that came whole by then are acknowledged. */
export class FluentdSource implements Source {
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  async run(context: SourceContext): Promise<void> {
    const { signal } = context;
    if (signal.aborted) return;
    const listener = await this.#listen(context);
    const heartbeats = this.#options.udp_heartbeat ? await answerHeartbeats(listener.address, context.log) : null;
    try {
      const { host, port } = listener.address;
      context.report(`listening ${host === '127.0.0.1' ? `:${port}` : formatAddress(listener.address)}`);
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          resolve();
        });
      });
    } finally {
      heartbeats?.close();
      await listener.close(CLOSE_GRACE_MS);
    }
  }

  #listen(context: SourceContext): Promise<StreamListener> {
    const { listen, tls } = this.#options;
    const shared = share(this.#options, context);
    return listenStream({
      address: listen,
      ...(tls === undefined ? {} : { tls }),
      limits: {
        maxConnections: this.#options.max_connections,
        maxConnectionsPerAddress: this.#options.max_connections_per_address,
        handshakeTimeoutMs: this.#options.handshake_timeout,
        messageTimeoutMs: this.#options.message_timeout,
        idleMs: this.#options.keep_alive,
      },
      accept: (client) => new Session(client, shared),
      clock: context.clock,
      log: context.log,
    });
  }
}

function share(options: SourceOptions, context: SourceContext): Shared {
  const budget = new ByteBudget(options.max_in_flight);
  const spare: Entries[] = [];
  const { maxRecordBytes, clock } = context;
  return {
    options,
    context,
    budget,
    inflater: new Inflater({ maxBytes: options.max_inflated_message, budget, clock }),
    inFlight: new Map(),
    takeEntries: () => spare.pop() ?? new Entries({ ...options, maxRecordBytes }),
    giveEntries: (entries) => {
      if (spare.length < SPARE_ENTRIES) spare.push(entries);
    },
  };
}
