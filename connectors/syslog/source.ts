import type { Source, SourceContext } from 'sluice/api';
import { receiveDatagrams, receiveUnixDatagrams, serveStreams, Spare, StreamMemory } from 'sluice/toolkit';
import { Messages } from './messages.ts';
import type { SourceOptions } from './options.ts';
import { Session, type Shared } from './session.ts';

const SPARE_MESSAGES = 4;

/** Serves syslog until it is asked to end. */
export class SyslogSource implements Source {
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  async run(context: SourceContext): Promise<void> {
    const options = this.#options;
    const { maxRecordBytes, clock } = context;
    const gather = (): Messages => new Messages({ ...options, maxRecordBytes, clock });
    const datagrams = { context, gather, take: takeDatagram };
    if (options.unix?.kind === 'datagram') {
      // One byte more tells what is too long.
      await receiveUnixDatagrams({ ...datagrams, unix: options.unix, maxBytes: options.max_message + 1 });
      return;
    }
    if (options.transport === 'udp') {
      await receiveDatagrams({ ...datagrams, address: options.listen, allow: options.allow });
      return;
    }
    const memory = new StreamMemory(options.max_in_flight);
    const shared: Shared = { options, context, memory, messages: new Spare(SPARE_MESSAGES, gather) };
    await serveStreams(context, { ...options, memory }, (client) => new Session(client, shared));
  }
}

/** A datagram is a message. */
function takeDatagram(messages: Messages, bytes: Buffer, client: string): void {
  messages.from(client);
  messages.open(bytes);
  messages.add(bytes, 0, bytes.length, client);
}
