import { SluiceError, type Json, type Logger } from '../api/index.ts';
import { kafkaSettings, type HubPlan } from '../config/index.ts';
import { openKafka, type KafkaClient } from '../kafka/index.ts';
import { createLogger, realClock } from '../telemetry/index.ts';

export type KafkaHub = HubPlan & { readonly kafka: Json };

/** A command is not patient: brokers that do not answer within it are away. */
const DEADLINE_MS = 10_000;

/** The cluster of a hub for a command, which waits for it no longer than ten seconds. */
export class CommandKafka {
  readonly client: KafkaClient;
  readonly log: Logger;
  readonly #waits: string[] = [];

  /** Throws `REFERENCE_UNRESOLVED`, `OPTION_INVALID`, or what `openKafka` throws. */
  constructor(plan: KafkaHub, env: NodeJS.ProcessEnv) {
    this.log = createLogger({ level: 'error', destination: { write: () => true }, pretty: false });
    const onWait = (reason: string | null): void => {
      if (reason !== null) this.#waits.push(reason);
    };
    this.client = openKafka(kafkaSettings(plan, env), { clock: realClock, log: this.log, onWait });
  }

  /** Rejects with `KAFKA_UNREACHABLE` and what was waited for when it takes too long. */
  async within<R>(ask: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    try {
      return await ask(deadline);
    } catch (error) {
      if (!deadline.aborted) throw error;
      const silence = `no answer within ${DEADLINE_MS / 1000} s`;
      throw new SluiceError('KAFKA_UNREACHABLE', `reaching Kafka: ${this.#waits.at(-1) ?? silence}`);
    }
  }

  async close(): Promise<void> {
    // The driver may not have been loaded at all; why is known by then.
    await this.client.close().catch(() => undefined);
  }
}
