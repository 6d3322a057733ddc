import { appearingFile } from '../appearing-file.ts';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import { peers } from '../peers/index.ts';
import type { Stage } from '../stage.ts';
import type { FileToKafka } from '../system.ts';
import { PARTITIONS } from '../topics.ts';

const pipeline = ({ input, topic, codec }: FileToKafka): string => `sources:
  - file: { include: ['${input}'] }
    partition_by: batch
topic: { name: ${topic}, partitions: ${PARTITIONS}, compression: ${codec} }
`;

/** A file of lines into a topic. */
export const fileKafka: Path = {
  name: 'file-kafka',
  contestants: contestants({
    codecs: ['lz4', 'none'],
    systems: [sluice({ onKafka: true, pipeline }), ...peers['file-kafka']],
    stage,
  }),
};

async function stage(place: Place): Promise<Stage<FileToKafka>> {
  const { bench, folder, codec, records } = place;
  const { brokers, topics } = bench;
  const { file: input, appear } = await appearingFile(place);
  const topic = await topics.create('file');
  return {
    task: { folder, brokers, topic, codec, records, input },
    feed: appear,
    arrived: () => topics.holds(topic),
    expected: records,
    records,
    close: () => topics.remove(topic),
  };
}
