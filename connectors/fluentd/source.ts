import type { Socket } from 'node:dgram';
import type { Source, SourceContext } from 'sluice/api';
import { Inflater, serveStreams, Spare, StreamMemory } from 'sluice/toolkit';
import { Entries } from './entries.ts';
import { answerHeartbeats } from './heartbeat.ts';
import type { SourceOptions } from './options.ts';
import { Session, type Shared } from './session.ts';

const SPARE_ENTRIES = 4;

/** Serves the forward protocol until it is asked to end; chunks that came whole by then are acknowledged. */
export class FluentdSource implements Source {
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  async run(context: SourceContext): Promise<void> {
    const options = this.#options;
    const { maxRecordBytes, clock, log } = context;
    const memory = new StreamMemory(options.max_in_flight);
    const shared: Shared = {
      options,
      context,
      memory,
      inflater: new Inflater({ maxBytes: options.max_inflated_message, budget: memory, clock }),
      inFlight: new Map(),
      entries: new Spare(SPARE_ENTRIES, () => new Entries({ ...options, maxRecordBytes })),
    };
    let heartbeats: Socket | null = null;
    try {
      await serveStreams(
        context,
        { ...options, memory },
        (client) => new Session(client, shared),
        async (address) => {
          if (options.udp_heartbeat) heartbeats = await answerHeartbeats(address, log);
        },
      );
    } finally {
      (heartbeats as Socket | null)?.close();
    }
  }
}
