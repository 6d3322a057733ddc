import { appearingFile } from '../appearing-file.ts';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Contestant, Path } from '../path.ts';
import type { Stage } from '../stage.ts';
import type { FileToKafka } from '../system.ts';
import { PARTITIONS } from '../topics.ts';

/** Through the embedded log, so that a leg reads what another wrote: the condition is the sink's. */
const pipeline =
  (where: string) =>
  ({ brokers, topic, input, codec }: FileToKafka): string => `sources:
  - file: { include: ['${input}'] }
    partition_by: batch
topic: { name: bench, partitions: ${PARTITIONS}, compression: ${codec} }
sinks:
  - kafka: { brokers: ['${brokers}'], topic: ${topic} }
${where}`;

/** What a condition on a field of JSON costs: the same pipeline with and without it. */
export const where: Path = {
  name: 'where',
  contestants: [
    ...contender('sluice', '', () => Promise.resolve(null)),
    ...contender('sluice, where', "    where: 'value.status >= 500'\n", async ({ bench, records }) => {
      const { failures } = await bench.lines(records);
      return failures;
    }),
  ],
};

function contender(name: string, condition: string, expected: (place: Place) => Promise<number | null>): Contestant[] {
  return contestants({
    codecs: ['lz4'],
    systems: [sluice({ name, onKafka: false, pipeline: pipeline(condition) })],
    stage: async (place) => stage(place, (await expected(place)) ?? place.records),
  });
}

async function stage(place: Place, expected: number): Promise<Stage<FileToKafka>> {
  const { bench, folder, codec, records } = place;
  const { brokers, topics } = bench;
  const { file: input, appear } = await appearingFile(place);
  const topic = await topics.create('where');
  return {
    task: { folder, brokers, topic, codec, records, input },
    feed: appear,
    arrived: () => topics.holds(topic),
    expected,
    records,
    close: () => topics.remove(topic),
  };
}
