/** The batch layout: builder, views, compression, checksums, partitioner, buffers. */
export { RecordBatchBuilder } from './builder.ts';
export { BufferPool, type PooledBuffer } from './buffer-pool.ts';
export { sharedCompressor, type Compression } from './compression.ts';
export { crc32c } from './crc32c.ts';
export { readBatchHeader, setBaseOffset, verifyBatch, type BatchHeader } from './header.ts';
export { BATCH_HEADER_BYTES, bufferBytesFor } from './layout.ts';
export { murmur2, partitionForKey } from './murmur2.ts';
export { emptyBatch, sealBatch } from './seal.ts';
export { sequencesOf, stampProducer, type ProducerStamp } from './stamp.ts';
export { RecordView } from './view.ts';
