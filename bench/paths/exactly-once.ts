import { appearingFile } from '../appearing-file.ts';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import type { Stage } from '../stage.ts';
import type { FileToKafka } from '../system.ts';
import { PARTITIONS } from '../topics.ts';

const pipeline =
  (delivery: string) =>
  ({ input, topic, codec }: FileToKafka): string => `delivery: ${delivery}
sources:
  - file: { include: ['${input}'] }
    partition_by: batch
topic: { name: ${topic}, partitions: ${PARTITIONS}, compression: ${codec} }
`;

/** A file of lines into a topic, in transactions and without, with a reader that sees what is committed beside both. */
export const exactlyOnce: Path = {
  name: 'exactly-once',
  contestants: contestants({
    codecs: ['lz4'],
    systems: [
      sluice({ onKafka: true, pipeline: pipeline('exactly_once') }),
      sluice({ name: 'sluice, at least once', onKafka: true, pipeline: pipeline('at_least_once') }),
    ],
    stage,
  }),
};

async function stage(place: Place): Promise<Stage<FileToKafka>> {
  const { bench, folder, codec, records } = place;
  const { brokers, topics } = bench;
  const { file: input, appear } = await appearingFile(place);
  const topic = await topics.create('exactly');
  const committed = topics.follow(topic);
  return {
    task: { folder, brokers, topic, codec, records, input },
    feed: appear,
    arrived: () => Promise.resolve(committed.records),
    expected: records,
    records,
    close: async () => {
      await committed.close();
      await topics.remove(topic);
    },
  };
}
