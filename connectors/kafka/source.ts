import type { Source, SourceContext } from 'sluice/api';
import { openKafka } from 'sluice/kafka';
import type { SourceOptions } from './options.ts';
import { SourceReading } from './source-reading.ts';

/** Reads as a member of a consumer group. The checkpoints of the hub are the truth; the group's offsets are a copy for Kafka's own tools. */
export class KafkaSource implements Source {
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  async run(context: SourceContext): Promise<void> {
    const { clock, log } = context;
    const client = openKafka(this.#options, {
      clock,
      log,
      onWait: (reason) => {
        context.waiting(reason);
      },
    });
    try {
      await new SourceReading(client, context, this.#options).run();
    } finally {
      context.waiting(null);
      await client.close();
    }
  }
}
