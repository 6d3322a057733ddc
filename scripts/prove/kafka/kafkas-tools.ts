import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { kafkaTool } from '../../services/kafka-tools.ts';

const run = promisify(execFile);

export interface ToolVerdict {
  readonly note: string;
  readonly problems: readonly string[];
  readonly unjudged: readonly string[];
}

/** Do Kafka's console consumer and group tool, and kcat with checksum tests, see what Sluice says there is? */
export async function judgeByKafkasTools({
  brokers,
  topic,
  group,
  ends,
}: {
  brokers: string;
  topic: string;
  group: string;
  ends: readonly number[];
}): Promise<ToolVerdict> {
  const records = ends.reduce((sum, end) => sum + end, 0);
  const [consumed, lag, kcat] = [
    await countConsumed(brokers, topic, records),
    await lagOf(brokers, group),
    await countByKcat(brokers, topic),
  ];
  return {
    note: `console consumer ${consumed}, lag ${lag}, kcat ${kcat ?? 'NOT THERE'}`,
    problems: [
      ...(consumed === records ? [] : [`Kafka's console consumer reads ${consumed} of ${records} records`]),
      ...(lag === 0 ? [] : [`kafka-consumer-groups says a lag of ${lag}`]),
      ...(kcat === null || kcat === records ? [] : [`kcat reads ${kcat} of ${records} records`]),
    ],
    unjudged: kcat === null ? ['kcat is not installed: its checksum tests were not made'] : [],
  };
}

async function countConsumed(brokers: string, topic: string, records: number): Promise<number> {
  const { stdout } = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    '--bootstrap-server',
    brokers,
    '--topic',
    topic,
    '--from-beginning',
    '--timeout-ms',
    '10000',
    '--max-messages',
    String(records),
    '--command-property',
    'check.crcs=true',
  ]);
  return countLines(stdout);
}

/** -1 when the tool shows a partition without an offset. */
async function lagOf(brokers: string, group: string): Promise<number> {
  const { stdout } = await kafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
    '--bootstrap-server',
    brokers,
    '--describe',
    '--group',
    group,
  ]);
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  const lags = rows.filter(([name]) => name === group).map((row) => Number(row[5]));
  return lags.length === 0 || lags.some(Number.isNaN) ? -1 : lags.reduce((sum, lag) => sum + lag, 0);
}

/** Null when it is not installed. */
async function countByKcat(brokers: string, topic: string): Promise<number | null> {
  try {
    const { stdout } = await run(
      'kcat',
      ['-b', brokers, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%o\n', '-X', 'check.crcs=true'],
      { maxBuffer: 1024 * 1024 * 1024 },
    );
    return countLines(stdout);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
