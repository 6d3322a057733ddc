import type { Source, SourceContext } from 'sluice/api';
import { receiveDatagrams, serveStreams, Spare, StreamMemory } from 'sluice/toolkit';
import { Frames } from './frames.ts';
import type { SourceOptions } from './options.ts';
import { Session, type Shared } from './session.ts';

const SPARE_FRAMES = 4;

/** Takes records from sockets until it is asked to end. */
export class SocketSource implements Source {
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  async run(context: SourceContext): Promise<void> {
    const options = this.#options;
    const { maxRecordBytes, clock } = context;
    const gather = (): Frames => new Frames({ ...options, maxRecordBytes, clock });
    if (options.transport === 'tcp') {
      const memory = new StreamMemory(options.max_in_flight);
      const shared: Shared = { options, context, memory, frames: new Spare(SPARE_FRAMES, gather) };
      await serveStreams(context, { ...options, memory }, (client) => new Session(client, shared));
    } else
      await receiveDatagrams({
        address: options.listen,
        allow: options.allow,
        context,
        gather,
        take: takeDatagram(options),
      });
  }
}

/** A datagram holds whole records; the last line needs no end. */
function takeDatagram(options: SourceOptions): (frames: Frames, bytes: Buffer, client: string) => void {
  return (frames, bytes, client) => {
    frames.from(client);
    if (options.framing === 'none') frames.whole(bytes, 0, client);
    else frames.all(bytes, client);
  };
}
