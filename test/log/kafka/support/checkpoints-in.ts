import { crc32c, RecordView } from '../../../../src/record/index.ts';
import type { FakeCluster } from './fake-cluster.ts';

/** What whoever starts now would find in the checkpoint topic, by key. */
export function checkpointsIn(cluster: FakeCluster): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const { batches } of cluster.topics.get('__sluice_checkpoints')?.partitions ?? []) {
    for (const { bytes, transaction } of batches) {
      if (transaction !== null && transaction.state !== 'committed') continue;
      const view = new RecordView({ decode: (value) => value });
      view.addStored({ topic: '', partition: 0, incarnation: '' }, bytes, 0);
      for (let index = 0; index < view.count; index++) {
        const key = Buffer.from(view.key(index)!).toString();
        const value = view.value(index);
        if (value === null) found.delete(key);
        else found.set(key, (JSON.parse(Buffer.from(value).toString()) as { content: unknown }).content);
      }
    }
  }
  return found;
}

/** The same batch with the checksum that its bytes need. */
export function withChecksum(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}
