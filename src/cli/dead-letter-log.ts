import type { HubPlan, PipelinePlan } from '../config/index.ts';
import {
  openDataFolder,
  openEmbeddedLog,
  openKafkaLog,
  parkingTopic,
  readDataFolder,
  type EmbeddedTopicLog,
  type SavedView,
  type TopicLog,
} from '../log/index.ts';
import { logPlan } from '../supervisor/index.ts';
import { createLogger, MetricsRecorder, realClock } from '../telemetry/index.ts';
import type { CommandKafka, KafkaHub } from './command-kafka.ts';
import { kafkaLogPlan, kafkaLogTraits } from './kafka-log-plan.ts';

/** What a command that writes into dead-letter topics has of the log of a hub. */
export interface DeadLetterLog {
  readonly view: SavedView;
  readonly hubId: string;
  /** Beside what a hub writes: `parks` for the topic of parked dead letters too. */
  open(pipeline: PipelinePlan, options: { readonly parks: boolean }): Promise<WritableLog>;
  close(): Promise<void>;
}

interface WritableLog {
  readonly topicLog: TopicLog;
  /** Writes what `kept` gives behind the end of a partition, and gives up what was before: all of it, or what lies before `before`. */
  cut(
    topic: string,
    partition: number,
    options: { readonly before: number; readonly write: () => Promise<void> },
  ): Promise<void>;
  close(): Promise<void>;
}

const silent = createLogger({ level: 'error', destination: { write: () => true }, pretty: false });

/** Takes the folder: no hub may run. Throws `DATA_FOLDER_IN_USE`. */
export async function openEmbeddedLetters({ dataDir, host }: HubPlan): Promise<DeadLetterLog> {
  const folder = await openDataFolder({ dataDir, hubId: host, clock: realClock, log: silent });
  return {
    view: await readDataFolder({ dataDir }),
    hubId: folder.hubId,
    open: async (pipeline, { parks }) => {
      const plan = logPlan(pipeline);
      // Whoever clears up must not be kept from it because a topic is full.
      const deadLetter = plan.deadLetter === null ? null : { ...plan.deadLetter, maxBytes: Number.MAX_SAFE_INTEGER };
      const parked = parks && deadLetter !== null ? { parked: parkingTopic(pipeline.name) } : {};
      const state = await folder.prepare([
        { ...plan, deadLetter: deadLetter === null ? null : { ...deadLetter, ...parked } },
      ]);
      const metrics = new MetricsRecorder().bind({ pipeline: pipeline.name });
      return embeddedLog(
        await openEmbeddedLog({ state, pipeline: pipeline.name, clock: realClock, log: silent, metrics }),
      );
    },
    close: () => folder.close(),
  };
}

function embeddedLog(topicLog: EmbeddedTopicLog): WritableLog {
  return {
    topicLog,
    cut: async (topic, partition, { write }) => {
      const begin = await topicLog.divide(topic, partition);
      await write();
      await topicLog.giveUp(topic, partition, begin);
    },
    close: () => topicLog.close(),
  };
}

/** Beside running hubs. */
export function kafkaLetters(plan: KafkaHub, { kafka, view }: { kafka: CommandKafka; view: SavedView }): DeadLetterLog {
  const hubId = plan.host ?? 'command';
  const { client, settings } = kafka;
  return {
    view,
    hubId,
    open: async (pipeline, { parks }) => {
      const known = kafkaLogPlan(pipeline);
      const parked = parks ? { parked: parkingTopic(pipeline.name) } : {};
      const topicLog = await openKafkaLog({
        client,
        group: plan.group,
        hubId,
        // Without its sources: their transactional ids stay those of the hub that runs them.
        plan: {
          ...known,
          sources: [],
          deadLetter: known.deadLetter === null ? null : { ...known.deadLetter, ...parked },
        },
        ...kafkaLogTraits(settings),
        isStatic: false,
        clock: realClock,
        log: silent,
        metrics: new MetricsRecorder().bind({ pipeline: pipeline.name }),
      });
      return {
        topicLog,
        cut: async (topic, partition, { before, write }) => {
          await write();
          await kafka.within((signal) => client.deleteRecords(topic, { partition, before }, signal));
        },
        close: () => topicLog.close(),
      };
    },
    close: () => kafka.close(),
  };
}
