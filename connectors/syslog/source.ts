import { once } from 'node:events';
import type { Source, SourceContext } from 'sluice/api';
import { bindUdp, ByteBudget, checkListener, formatAddress, listenStream, receiveDatagrams } from 'sluice/toolkit';
import { Messages } from './messages.ts';
import type { SourceOptions } from './options.ts';
import { Session, type Shared } from './session.ts';

const CLOSE_GRACE_MS = 5000;
const SPARE_MESSAGES = 4;

/** Serves syslog until it is asked to end. */
export class SyslogSource implements Source {
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  async run(context: SourceContext): Promise<void> {
    if (context.signal.aborted) return;
    const { maxRecordBytes, clock } = context;
    const messages = (): Messages => new Messages({ ...this.#options, maxRecordBytes, clock });
    if (this.#options.transport === 'tcp') await this.#serve(context, messages);
    else
      await receiveDatagrams({
        address: this.#options.listen,
        context,
        gather: messages,
        take: (gathering, bytes, client) => {
          gathering.from(client);
          gathering.add(bytes, 0, bytes.length, client);
        },
      });
  }

  async #serve(context: SourceContext, messages: () => Messages): Promise<void> {
    const { listen, tls, message_timeout: timeoutMs } = this.#options;
    const spare: Messages[] = [];
    const shared: Shared = {
      options: this.#options,
      context,
      budget: new ByteBudget(this.#options.max_in_flight),
      takeMessages: () => spare.pop() ?? messages(),
      giveMessages: (given) => {
        if (spare.length < SPARE_MESSAGES) spare.push(given);
      },
    };
    const listener = await listenStream({
      address: listen,
      ...(tls === undefined ? {} : { tls }),
      limits: {
        maxConnections: this.#options.max_connections,
        maxConnectionsPerAddress: this.#options.max_connections_per_address,
        handshakeTimeoutMs: timeoutMs,
        messageTimeoutMs: timeoutMs,
        idleMs: this.#options.keep_alive,
      },
      accept: (client) => new Session(client, shared),
      clock: context.clock,
      log: context.log,
    });
    try {
      const { host, port } = listener.address;
      context.report(`listening ${host === '127.0.0.1' ? `:${port}` : formatAddress(listener.address)}`);
      if (!context.signal.aborted) await once(context.signal, 'abort');
    } finally {
      await listener.close(CLOSE_GRACE_MS);
    }
  }
}

/** For `validate --connect`: takes the address for a moment. */
export async function checkSyslog({ listen, tls, transport }: SourceOptions): Promise<void> {
  if (transport === 'udp') (await bindUdp(listen)).close();
  else await checkListener({ address: listen, ...(tls === undefined ? {} : { tls }) });
}
