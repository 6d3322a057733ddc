import { BufferPool, openKafka, type KafkaClient, type KafkaSettings } from '../../src/kafka/index.ts';
import { realClock } from '../../src/telemetry/index.ts';
import { kafkaSettings, quietLog } from './support/clients.ts';

function open(more: Partial<KafkaSettings> = {}): KafkaClient {
  const settings = { ...kafkaSettings({ driver: 'native', brokers: ['127.0.0.1:1'] }), ...more };
  return openKafka(settings, { clock: realClock, log: quietLog });
}

test.each<[string, Partial<KafkaSettings>, RegExp]>([
  [
    'a password that others could read on its way',
    { sasl: { mechanism: 'plain', username: 'a', password: 'b', insecure_without_tls: false } },
    /`sasl.mechanism`: without `tls` others can read the password/,
  ],
  ['a certificate without its key', { tls: { cert: 'x', insecure_skip_verify: false } }, /`tls.cert`: .*`key` beside/],
])('does not open with %s', (_name, more, words) => {
  expect(() => open(more)).toThrow(words);
});

test('a client that was never used closes at once, and is closed', async () => {
  const client = open();
  await client.close();
  await expect(client.cluster()).rejects.toMatchObject({ code: 'KAFKA_CLOSED' });
});

test('a reader of a cluster that cannot be reached takes its orders before the driver is there, and ends with it', async () => {
  const client = open();
  const reader = client.openReader({
    isolation: 'read_committed',
    pool: new BufferPool({ budgetBytes: 65_536 }),
    fetchBytes: 1024,
  });
  reader.seek('a', 0, 7);
  reader.pause('a', 0);
  reader.resume('a', 0);
  expect(reader.end('a', 0)).toBe(0);
  expect(reader.waitingFor).toBeNull();
  expect(await reader.next(AbortSignal.timeout(50))).toBeNull();
  const waiting = reader.next(new AbortController().signal);
  await client.close();
  await expect(waiting).rejects.toMatchObject({ code: 'KAFKA_CLOSED' });
  await reader.close();
});
