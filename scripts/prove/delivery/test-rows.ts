import type { Row, ShownBy } from '../rows/row.ts';

const on = (file: string, ...titles: string[]): readonly ShownBy[] =>
  titles.map((title) => ({ file: `test/${file}`, title }));
const row = (
  name: string,
  what: { readonly component: string; readonly fault: string; readonly on: Row['on'] },
  ...by: readonly (readonly ShownBy[])[]
): Row => ({ name, ...what, by: by.flat() });

const network = 'faults/kafka-network.server.test.ts';
const refusals = 'faults/kafka-refusals.server.test.ts';
const cluster = 'faults/kafka-cluster.server.test.ts';
const clusterForLonger = 'faults/kafka-cluster.proof.server.test.ts';
const exact = 'faults/exactly-once.server.test.ts';
const fileSource = 'connectors/file/source.test.ts';
const httpSource = 'connectors/http/source.test.ts';
const elasticSink = 'connectors/elasticsearch/sink.server.test.ts';
const elasticFaults = 'connectors/elasticsearch/faults.server.test.ts';
const elasticPipelines = 'connectors/elasticsearch/pipeline.server.test.ts';

/** What tests show as they are: a proof at another size would show the same. */
export const testRows: readonly Row[] = [
  row(
    'sigterm',
    { component: 'hub', fault: 'SIGTERM under load', on: 'embedded' },
    on('cli/run.test.ts', 'a daemon delivers what comes', 'a second signal ends a drain that is stuck'),
  ),
  row(
    'sigstop',
    {
      component: 'hub',
      fault: 'SIGSTOP for 60 s while another takes over, then SIGCONT; exactly once',
      on: 'one broker',
    },
    on(network, 'a hub that slept while another took over'),
    on(
      exact,
      'a hub that stands still while another takes its files over',
      'a member of a group that stands still while another takes over its partitions',
      'from another cluster: ends of transactions whose answer is lost',
    ),
  ),
  row(
    'two-hubs',
    { component: 'hub', fault: 'two hubs on one data folder', on: 'embedded' },
    on('cli/run.test.ts', 'a second hub on the same data folder ends at once with 75'),
    on('log/embedded/lock.test.ts', 'SIGKILL frees the folder at once'),
  ),
  row(
    'disk-full',
    { component: 'hub', fault: 'no space left', on: 'embedded' },
    on('faults/disk-full.test.ts', 'a full disk refuses input'),
    on('log/embedded/faults.test.ts', 'a full disk refuses input', 'many commits on a disk that is full now and then'),
  ),
  row(
    'disk-read-only',
    { component: 'hub', fault: 'the data folder becomes read-only, and can be written again', on: 'embedded' },
    on('faults/machine.test.ts', 'a data folder that becomes read-only'),
    on('log/embedded/faults.test.ts', 'a disk that becomes read-only'),
  ),
  row(
    'clock',
    { component: 'hub', fault: 'the clock an hour ahead, two back, a leap second', on: 'embedded' },
    on('faults/machine.test.ts', 'a clock that jumps'),
  ),
  row(
    'descriptors',
    { component: 'hub', fault: '64 descriptors', on: 'embedded' },
    on('faults/machine.test.ts', '64 descriptors'),
  ),
  row(
    'checkpoint-damaged',
    {
      component: 'checkpoint',
      fault: '0 bytes, NULs, bad CRC, torn anywhere, an older or a newer version',
      on: 'embedded',
    },
    on('log/embedded/windows.test.ts', ''),
    on('log/embedded/repair.test.ts', ''),
  ),
  row(
    'checkpoint-crash',
    { component: 'checkpoint', fault: 'the process or the power gone at every operation of the disk', on: 'embedded' },
    on('log/embedded/crash.test.ts', ''),
  ),
  row(
    'checkpoint-newer',
    { component: 'checkpoint', fault: 'of a newer version, behind open and aborted transactions', on: 'one broker' },
    on('log/kafka/checkpoints.test.ts', 'waits for open transactions of others', 'refuses what a newer version wrote'),
  ),
  row(
    'one-broker-gone',
    {
      component: 'Kafka',
      fault: 'the leader killed; partitions without a leader; too few replicas',
      on: 'three brokers',
    },
    on(cluster, 'a leader goes while hub and both drivers write to several'),
    on(
      clusterForLonger,
      'leaders of the topic and of transactions go',
      'partitions without a leader',
      'too few replicas for records or for dead letters',
    ),
  ),
  row(
    'kafka-refuses',
    { component: 'Kafka', fault: 'MESSAGE_TOO_LARGE; rights taken away', on: 'one broker' },
    on(refusals, 'a topic that takes less than the pipeline'),
    on('faults/kafka-access.server.test.ts', ''),
  ),
  row(
    'transaction-timeout',
    { component: 'Kafka', fault: 'a transaction that lasts too long; ends whose answer is lost', on: 'one broker' },
    on(exact, 'a hub that stands still for longer than its transaction may last'),
    on('kafka/producer.server.test.ts', 'a transaction that took too long is sent again'),
    on('kafka/transaction-faults.server.test.ts', ''),
  ),
  row(
    'answers-swallowed',
    { component: 'Kafka', fault: 'answers to produce requests lost', on: 'one broker' },
    on(network, 'answers to produce requests are lost'),
  ),
  row(
    'broker-forgets',
    { component: 'Kafka', fault: 'records deleted and the broker started anew under the producer', on: 'one broker' },
    on(network, 'records deleted and the broker started anew'),
  ),
  row(
    'rebalance',
    {
      component: 'consumer',
      fault: 'a rebalance while a batch is in flight; a sink slower than the poll interval',
      on: 'one broker',
    },
    on('pipeline/rebalance.server.test.ts', ''),
    on('log/kafka/subscription.test.ts', 'a partition is committed until', 'a partition that is lost is not committed'),
  ),
  row(
    'tail-rotation',
    { component: 'tail', fault: 'renames, 5 fast rotations, copytruncate, compressed files', on: 'embedded' },
    on(
      fileSource,
      'a renamed file is read to its end',
      'five fast rotations while the budget is spent',
      'copies of three copytruncates',
    ),
    on(
      'connectors/file/archives.test.ts',
      'of a rotated file that was read before',
      'of a copytruncate',
      'waits until it is complete',
    ),
  ),
  row(
    'tail-identity',
    { component: 'tail', fault: 'deleted while open, hard and symbolic links, moved to another disk', on: 'embedded' },
    on(
      fileSource,
      'hard and symbolic links to one file',
      'a file that was moved to another disk',
      'a deleted file is read to its end',
      'a file that was closed while its lines waited',
    ),
  ),
  row(
    'tail-lines',
    {
      component: 'tail',
      fault: 'partial lines, CR LF, bytes that are no text, a line of 100 MB, 10,000 files',
      on: 'embedded',
    },
    on(
      fileSource,
      'an unfinished line waits',
      'bytes stay as they are',
      'a line of 100 MB takes no memory',
      'more files than may be open',
    ),
  ),
  row(
    'http-clients',
    {
      component: 'http',
      fault: 'a client gone in the midst of a body; 200 lost; repeats with an Idempotency-Key',
      on: 'embedded',
    },
    on('connectors/http/hostile.test.ts', 'a client that leaves in the middle of its body'),
    on(
      httpSource,
      '200 comes only after the records are durable',
      'a repeat of an Idempotency-Key',
      'a repeat while the first is in flight',
    ),
  ),
  row(
    'es-refuses',
    { component: 'ES', fault: '429, 503, 413, 401, read-only, half failed', on: 'one broker' },
    on(
      elasticFaults,
      '401 needs an operator',
      '413: the batch is halved',
      '429 for the request',
      'a cluster that is read-only',
    ),
    on(elasticPipelines, 'documents that are refused with 429'),
    on(refusals, 'one document of a batch is refused for now', 'one broken document, and the answer is lost'),
  ),
  row(
    'es-applied',
    { component: 'ES', fault: 'applied, then the connection reset; a node that takes 30 s', on: 'one broker' },
    on(elasticSink, 'an answer that is lost on its way'),
    on(elasticPipelines, 'answers that are lost, two endpoints of which one is dead'),
    on(elasticFaults, 'a server that takes too long'),
  ),
  row(
    'file-sink',
    {
      component: 'file sink',
      fault: 'the process or the power gone at every operation; full, removed and foreign folders',
      on: 'embedded',
    },
    on('connectors/file/sink-crash.test.ts', ''),
    on('connectors/file/sink.test.ts', 'the whole folder removed', 'of two writers of a partition'),
  ),
  row(
    'network',
    {
      component: 'network',
      fault: 'bytes one by one, late, resets all the time; killed while the broker is away',
      on: 'one broker',
    },
    on(network, 'bytes one by one', 'killed while the broker is away'),
  ),
  row(
    'poison-stages',
    { component: 'record', fault: 'refused in each stage: decode, key, where, template, sink', on: 'embedded' },
    on('faults/hostile-records.test.ts', 'lines that cannot be decoded', 'a record chooses a folder'),
    on('pipeline/failure-policy.test.ts', ''),
  ),
  row(
    'poison-100000',
    { component: 'record', fault: '100,000 records, all refused: heap growth < 50 MB', on: 'embedded' },
    on('pipeline/poison.test.ts', ''),
  ),
  row(
    'dead-letters-refused',
    { component: 'dead letters', fault: 'their topic down, too small, or denied', on: 'one broker' },
    on(refusals, 'a dead letter that its topic does not take'),
    on('pipeline/refused-by-where.test.ts', ''),
    on('pipeline/failure-policy.test.ts', 'the offset passes a refused record only once its dead letter is durable'),
  ),
  row(
    'dead-letters-replay',
    { component: 'dead letters', fault: 'a replay that is killed; replayed twice; refused again', on: 'embedded' },
    on('cli/dlq.test.ts', ''),
  ),
];
