/** `npm run prove:kafka`: what Sluice promises on real Kafka and Elasticsearch, shown at full size. `--help` names the options. */
import { proveLines } from './prove/kafka/lines.ts';
import { Servers } from './prove/kafka/servers.ts';
import { runParts } from './prove/run-parts.ts';

const servers = new Servers();

try {
  process.exitCode = await runParts({
    name: 'prove:kafka',
    linesHelp: 'lines of the part `lines` (1000000), and what the others take of it',
    kills: 10,
    parts: [{ name: 'lines', share: 1, prove: (proof) => proveLines(proof, servers) }],
  });
} finally {
  await servers.end();
}
