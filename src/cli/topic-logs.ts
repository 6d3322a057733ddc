import type { Logger } from '../api/index.ts';
import { kafkaSettings, type PipelinePlan } from '../config/index.ts';
import { openKafka, type KafkaClient, type KafkaSettings } from '../kafka/index.ts';
import { openEmbeddedLog, openKafkaLog, type EmbeddedLogState, type TopicLog } from '../log/index.ts';
import type { OpenContext, WorkerSetup } from '../supervisor/index.ts';
import { realClock } from '../telemetry/index.ts';
import { kafkaLogPlan, kafkaLogTraits } from './kafka-log-plan.ts';

export interface OpenedLog {
  readonly topicLog: TopicLog;
  /** Closes it, and after the last of the worker what they shared. */
  close(): Promise<void>;
}

/** Opens the topic logs of the pipelines of one worker. */
export class TopicLogs {
  readonly #env: NodeJS.ProcessEnv;
  #kafka: SharedKafka | null = null;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** Waits for a Kafka cluster that cannot be reached until the context's signal aborts. */
  open(plan: PipelinePlan, context: OpenContext): Promise<OpenedLog> {
    const { log } = context.setup;
    return log.kind === 'embedded' ? openEmbedded(log.state, plan, context) : this.#openKafka(plan, context);
  }

  async #openKafka(plan: PipelinePlan, context: OpenContext): Promise<OpenedLog> {
    const { setup, log, metrics, signal } = context;
    // Settings are resolved anew after the last one left: credentials may have changed since.
    const kafka = (this.#kafka ??= new SharedKafka(this.#settings(setup), log, () => (this.#kafka = null)));
    kafka.join(context);
    try {
      const topicLog = await openKafkaLog({
        client: kafka.client,
        group: setup.plan.group,
        hubId: setup.hubId,
        plan: kafkaLogPlan(plan),
        ...kafka.traits,
        isStatic: !setup.once,
        clock: realClock,
        log: log.child({ pipeline: plan.name }),
        metrics: metrics.bind({ pipeline: plan.name }),
        signal,
      });
      const close = async (): Promise<void> => {
        await topicLog.close().finally(() => kafka.leave(context));
      };
      return { topicLog, close };
    } catch (error) {
      await kafka.leave(context);
      throw error;
    }
  }

  #settings({ plan, log }: WorkerSetup): KafkaSettings {
    if (log.kind !== 'kafka') throw new Error('opening Kafka: the topics are in the embedded log');
    return kafkaSettings({ file: plan.file, kafka: log.options }, this.#env);
  }
}

async function openEmbedded(state: EmbeddedLogState, plan: PipelinePlan, context: OpenContext): Promise<OpenedLog> {
  const { log, metrics } = context;
  const pipeline = plan.name;
  const topicLog = await openEmbeddedLog({
    state,
    pipeline,
    clock: realClock,
    log: log.child({ pipeline }),
    metrics: metrics.bind({ pipeline }),
  });
  return { topicLog, close: () => topicLog.close() };
}

/** One client for all pipelines of a worker: connections are per worker, and what it waits for is the wait of all. */
class SharedKafka {
  readonly client: KafkaClient;
  readonly traits: ReturnType<typeof kafkaLogTraits>;
  readonly #users = new Set<OpenContext>();
  readonly #onEmpty: () => void;
  #waitsFor: string | null = null;

  constructor(settings: KafkaSettings, log: Logger, onEmpty: () => void) {
    this.traits = kafkaLogTraits(settings);
    this.#onEmpty = onEmpty;
    const onWait = (reason: string | null): void => {
      this.#waitsFor = reason === null ? null : `waiting for Kafka: ${reason}`;
      for (const user of this.#users) user.onWait(this.#waitsFor);
    };
    this.client = openKafka(settings, { clock: realClock, log, onWait });
  }

  join(user: OpenContext): void {
    this.#users.add(user);
    if (this.#waitsFor !== null) user.onWait(this.#waitsFor);
  }

  async leave(user: OpenContext): Promise<void> {
    this.#users.delete(user);
    if (this.#users.size > 0) return;
    this.#onEmpty();
    await this.client.close();
  }
}
