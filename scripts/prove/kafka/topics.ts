import { openKafka, type KafkaClient, type KafkaSettings } from '../../../src/kafka/index.ts';
import { createLogger, realClock } from '../../../src/telemetry/index.ts';

export {
  produceValues as produce,
  readChunks,
  readTopic as readAll,
  sealedValues,
} from '../../../src/testing/index.ts';

/** A client of the proof's own, beside the hub. */
export function openClient(brokers: string, settings: Partial<KafkaSettings> = {}): KafkaClient {
  const client: KafkaSettings['client'] = {
    id: 'proof',
    connect_timeout: 10_000,
    request_timeout: 30_000,
    session_timeout: 8000,
    heartbeat_interval: 2000,
    transaction_timeout: 60_000,
    group_protocol: 'classic',
  };
  const log = createLogger({ level: 'error', destination: process.stderr, pretty: false, json: false });
  return openKafka(
    { brokers: brokers.split(','), tls: false, client, driver: 'native', ...settings },
    { clock: realClock, log },
  );
}

/** The ends of the partitions that read_committed sees, by number. */
export async function endsOf(client: KafkaClient, topic: string): Promise<readonly number[]> {
  const ends = await client.offsets(topic, 'stable');
  return [...ends].sort(([one], [other]) => one - other).map(([, end]) => end);
}
