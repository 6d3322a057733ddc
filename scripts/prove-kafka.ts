/** `npm run prove:kafka`: what Sluice promises on real Kafka and Elasticsearch, shown at full size. `--help` names the options. */
import { proveForeign } from './prove/kafka/foreign.ts';
import { proveLeaders } from './prove/kafka/leaders.ts';
import { proveLines } from './prove/kafka/lines.ts';
import { proveMapping } from './prove/kafka/mapping.ts';
import { proveOutageOfIndex } from './prove/kafka/outage-index.ts';
import { proveOutageOfKafka } from './prove/kafka/outage-kafka.ts';
import { proveRecreated } from './prove/kafka/recreated.ts';
import { proveSecurity } from './prove/kafka/security.ts';
import { Servers } from './prove/kafka/servers.ts';
import { proveTakeover } from './prove/kafka/takeover.ts';
import { proveTwoLogs } from './prove/kafka/two-logs.ts';
import { endingAlways } from './prove/ending.ts';
import { runParts } from './prove/run-parts.ts';

const servers = new Servers();

process.exitCode = await endingAlways(
  () =>
    runParts({
      name: 'prove:kafka',
      linesHelp: 'lines of the part `lines` (1000000), and what the others take of it',
      kills: 10,
      parts: [
        { name: 'lines', share: 1, prove: (proof) => proveLines(proof, servers) },
        { name: 'leaders', share: 1, prove: (proof) => proveLeaders(proof, servers) },
        { name: 'takeover', share: 0.12, prove: (proof) => proveTakeover(proof, servers) },
        { name: 'foreign', share: 0.1, prove: (proof) => proveForeign(proof, servers) },
        { name: 'two-logs', share: 0.1, prove: (proof) => proveTwoLogs(proof, servers) },
        { name: 'recreated', share: 0.06, prove: (proof) => proveRecreated(proof, servers) },
        { name: 'mapping', share: 0, prove: (proof) => proveMapping(proof, servers) },
        { name: 'outage-index', share: 0.3, prove: (proof) => proveOutageOfIndex(proof, servers) },
        { name: 'outage-kafka', share: 0.3, prove: (proof) => proveOutageOfKafka(proof, servers) },
        { name: 'security', share: 0.04, prove: (proof) => proveSecurity(proof, servers) },
      ],
    }),
  () => servers.end(),
);
