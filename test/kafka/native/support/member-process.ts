import { openKafka } from '../../../../src/kafka/index.ts';
import { BufferPool } from '../../../../src/record/index.ts';
import { realClock } from '../../../../src/telemetry/index.ts';
import { kafkaSettings, quietLog } from '../../support/clients.ts';
import { WorkingMember } from './group-member.ts';

/** A member in a process of its own, so that it can be killed. Arguments: brokers, group, topic, session time-out. Prints how many partitions it has. */
const [brokers = '', group = '', topic = '', sessionTimeoutMs = ''] = process.argv.slice(2);
const client = openKafka(kafkaSettings({ driver: 'native', brokers: brokers.split(',') }), {
  clock: realClock,
  log: quietLog,
});
const working = new WorkingMember(
  client.joinGroup({
    group,
    topics: [topic],
    instanceId: null,
    protocol: 'classic',
    sessionTimeoutMs: Number(sessionTimeoutMs),
    heartbeatMs: 500,
    isolation: 'read_committed',
    pool: new BufferPool({ budgetBytes: 4 << 20, bufferBytes: 65_536 }),
    fetchBytes: 65_536,
  }),
);
for (;;) {
  await realClock.sleep(50);
  process.stdout.write(`${working.partitions.length}\n`);
}
