import type { crashPaths } from '../crashes/crash-paths.ts';
import { proveForeign } from '../kafka/foreign.ts';
import { proveLeaders } from '../kafka/leaders.ts';
import { proveLines as proveLinesOnKafka } from '../kafka/lines.ts';
import { proveMapping } from '../kafka/mapping.ts';
import { proveOutageOfIndex } from '../kafka/outage-index.ts';
import { proveOutageOfKafka } from '../kafka/outage-kafka.ts';
import { proveRecreated } from '../kafka/recreated.ts';
import { proveSecurity } from '../kafka/security.ts';
import { proveStandstill, proveTakeover } from '../kafka/takeover.ts';
import { proveTwoLogs } from '../kafka/two-logs.ts';
import { proveLines, variants } from '../lines.ts';
import { proveMemory } from '../memory.ts';
import { provePosts } from '../posts.ts';
import { proveTail } from '../tail.ts';
import { provePartitioned } from './partitioned.ts';
import { provePoison } from './poison.ts';
import type { Row } from '../rows/row.ts';
import { testRows } from './test-rows.ts';
import { proveCrashPoints } from './crash-points.ts';
import { proveExample, provePlantedBug } from './user-pipelines.ts';

const million = { lines: 1_000_000, kills: 20 };
const devices = ['boiler', 'attic', 'cellar', 'roof'].map(
  (device, at) => `{"device":"${device}","celsius":${60 + 5 * at}}`,
);

/** Every fault whose component exists, in the order in which they run. */
export const rows: readonly Row[] = [
  {
    name: 'kill-embedded',
    component: 'hub',
    fault: 'kill -9 at random moments; files → files',
    on: 'embedded',
    by: { lines: 200_000, kills: 10, long: million, prove: (proof) => proveLines(proof, variants.bySource) },
  },
  {
    name: 'kill-embedded-keyed',
    component: 'hub',
    fault: 'kill -9 at random moments; order per key',
    on: 'embedded',
    by: { lines: 100_000, kills: 5, long: million, prove: (proof) => proveLines(proof, variants.byKey) },
  },
  {
    name: 'kill-posts',
    component: 'http',
    fault: 'kill -9 while clients post; those with ids repeat what was not acknowledged',
    on: 'embedded',
    by: { lines: 20_000, kills: 8, long: { lines: 100_000, kills: 20 }, prove: (proof) => provePosts(proof, true) },
  },
  {
    name: 'tail-sequences',
    component: 'tail',
    fault: 'random writes, renames, copytruncates, truncations, deletions, compressions, stops, kills and starts',
    on: 'embedded',
    by: { lines: 200, kills: 0, long: { lines: 2000, kills: 0 }, prove: proveTail },
  },
  {
    name: 'slow-sink',
    component: 'sink',
    fault: 'a source faster than its sinks: memory flat, nothing dropped',
    on: 'embedded',
    by: { lines: 2_000_000, kills: 0, long: { lines: 10_000_000, kills: 0 }, prove: proveMemory },
  },
  {
    name: 'kill-kafka',
    component: 'hub',
    fault: 'kill -9 at random moments; files → Kafka → Elasticsearch',
    on: 'one broker',
    by: { lines: 200_000, kills: 6, long: { lines: 1_000_000, kills: 10 }, prove: proveLinesOnKafka },
  },
  {
    name: 'leaders',
    component: 'Kafka',
    fault: 'brokers restarted one after the other, leaders moved',
    on: 'three brokers',
    by: { lines: 200_000, kills: 0, long: { lines: 1_000_000, kills: 0 }, prove: proveLeaders },
  },
  {
    name: 'takeover',
    component: 'consumer',
    fault: 'kill -9 of one of two hubs that share a topic, a folder and an index',
    on: 'one broker',
    by: { lines: 120_000, kills: 1, prove: proveTakeover },
  },
  {
    name: 'standstill',
    component: 'hub',
    fault: 'SIGSTOP for 60 s of one of two hubs that share a topic, a folder and an index, then SIGCONT',
    on: 'one broker',
    by: { lines: 200_000, kills: 0, prove: proveStandstill },
  },
  {
    name: 'foreign-producers',
    component: 'Kafka',
    fault: 'records of other producers, in every compression',
    on: 'one broker',
    by: { lines: 50_000, kills: 0, long: { lines: 100_000, kills: 0 }, prove: proveForeign },
  },
  {
    name: 'two-logs',
    component: 'ES',
    fault: 'two hubs with logs of their own write one index',
    on: 'embedded',
    by: { lines: 40_000, kills: 0, long: { lines: 100_000, kills: 0 }, prove: proveTwoLogs },
  },
  {
    name: 'topic-recreated',
    component: 'Kafka',
    fault: 'the topic deleted and made anew',
    on: 'one broker',
    by: { lines: 30_000, kills: 0, long: { lines: 60_000, kills: 0 }, prove: proveRecreated },
  },
  {
    name: 'mapping-conflict',
    component: 'ES',
    fault: 'documents that the mapping refuses',
    on: 'one broker',
    by: { lines: 1, kills: 0, prove: proveMapping },
  },
  {
    name: 'poison-and-replay',
    component: 'dead letters',
    fault: 'a tenth of the documents refused, replayed once mended, replayed again',
    on: 'one broker',
    by: { lines: 1_000_000, kills: 0, prove: provePoison },
  },
  {
    name: 'index-away',
    component: 'ES',
    fault: 'stopped under load, then 429 for every request',
    on: 'one broker',
    by: { lines: 300_000, kills: 0, prove: proveOutageOfIndex },
  },
  {
    name: 'kafka-away',
    component: 'Kafka',
    fault: 'all brokers down for 60 s under load',
    on: 'one broker',
    by: { lines: 300_000, kills: 0, prove: proveOutageOfKafka },
  },
  {
    name: 'partitioned',
    component: 'network',
    fault: 'no byte comes through, to the broker, then to the index, for 60 s each under load',
    on: 'one broker',
    by: { lines: 360_000, kills: 0, long: { lines: 1_800_000, kills: 0 }, prove: provePartitioned },
  },
  {
    name: 'access',
    component: 'Kafka',
    fault: 'wrong passwords, missing rights, foreign certificates',
    on: 'one broker',
    by: { lines: 20_000, kills: 0, long: { lines: 40_000, kills: 0 }, prove: proveSecurity },
  },
  crashes('filesToKafka', 'files → Kafka, exactly once', 'one broker'),
  crashes('kafkaToKafka', 'Kafka → Kafka, exactly once', 'one broker'),
  crashes('filesToKafkaAtLeastOnce', 'files → Kafka, at least once', 'one broker'),
  crashes('embeddedLog', 'files → embedded log → files', 'embedded'),
  crashes('kafkaToFiles', 'Kafka → files and dead letters', 'one broker'),
  ...testRows,
  example('quickstart', null),
  example('devices', devices),
  example('generate', null),
  {
    name: 'prove-planted-bug',
    component: 'sluice prove',
    fault: 'a sink that acknowledges before it writes has to be found',
    on: 'embedded',
    by: { lines: 5000, kills: 4, prove: provePlantedBug },
  },
];

/** `kills` is the number of seeds. */
function crashes(path: keyof typeof crashPaths, way: string, on: Row['on']): Row {
  return {
    name: `crash-${path.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    component: 'hub',
    fault: `ends itself at each crash point: ${way}`,
    on,
    by: { lines: 0, kills: 20, long: { lines: 0, kills: 50 }, prove: proveCrashPoints(path) },
  };
}

function example(name: string, sample: readonly string[] | null): Row {
  return {
    name: `prove-${name}`,
    component: 'sluice prove',
    fault: `\`pipelines/${name}.yaml\` killed, ended at crash points, its connections hurt`,
    on: 'embedded',
    by: { lines: 20_000, kills: 10, long: { lines: 100_000, kills: 60 }, prove: proveExample(name, sample) },
  };
}
