import { SluiceError, type Json, type Logger } from '../api/index.ts';
import { kafkaSettings, type HubPlan } from '../config/index.ts';
import { openKafka, type KafkaClient, type KafkaSettings } from '../kafka/index.ts';
import { createLogger, realClock } from '../telemetry/index.ts';

export type KafkaHub = HubPlan & { readonly kafka: Json };

/** A command is not patient: brokers that do not answer within it are away … */
const DEADLINE_MS = 10_000;
/** … and those of which it is known what is the matter sooner. */
const KNOWN_MS = 2000;

/** The cluster of a hub for a command, which waits for it for some seconds only. */
export class CommandKafka {
  readonly client: KafkaClient;
  readonly settings: KafkaSettings;
  readonly log: Logger;
  /** Aborted once too much was waited for, with the reason. */
  readonly #impatience = new AbortController();
  #waitsFor: string | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** Throws `REFERENCE_UNRESOLVED`, `OPTION_INVALID`, or what `openKafka` throws. */
  constructor(plan: KafkaHub, env: NodeJS.ProcessEnv) {
    this.log = createLogger({ level: 'error', destination: { write: () => true }, pretty: false });
    const onWait = (reason: string | null): void => {
      this.#waitsFor = reason;
      if (reason === null) this.#rest();
      else
        this.#timer ??= setTimeout(() => {
          this.#giveUp();
        }, KNOWN_MS);
    };
    this.settings = kafkaSettings(plan, env);
    this.client = openKafka(this.settings, { clock: realClock, log: this.log, onWait });
  }

  /** Rejects with `KAFKA_UNREACHABLE` and what was waited for when it takes too long. */
  async within<R>(ask: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { signal } = this.#impatience;
    const deadline = setTimeout(() => {
      this.#giveUp();
    }, DEADLINE_MS);
    try {
      return await ask(signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearTimeout(deadline);
    }
  }

  async close(): Promise<void> {
    this.#rest();
    // The driver may not have been loaded at all; why is known by then.
    await this.client.close().catch(() => undefined);
  }

  #giveUp(): void {
    const reason = this.#waitsFor ?? `no answer within ${DEADLINE_MS / 1000} s`;
    this.#impatience.abort(new SluiceError('KAFKA_UNREACHABLE', `reaching Kafka: ${reason}`));
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
