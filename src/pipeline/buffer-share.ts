import { BufferPool } from '../record/index.ts';

const LARGEST_BUFFER_BYTES = 256 * 1024;
const SMALLEST_BUFFER_BYTES = 16 * 1024;
/** One batch as brokers take it by default. */
const LARGEST_BATCH_BYTES = 1024 * 1024;

/**
 * One leg's share of the pipeline's record buffers. Every leg has its own, so that a dead sink starves nobody else. An eighth is kept for
 * dead letters and for copies that must be made before anything can be freed.
 */
export function createBufferShare(bufferBytes: number, legs: number): BufferPool {
  const budgetBytes = Math.max(2 * SMALLEST_BUFFER_BYTES, Math.floor(bufferBytes / Math.max(1, legs)));
  return new BufferPool({
    budgetBytes,
    bufferBytes: bufferSizeIn(budgetBytes),
    reserveBytes: Math.floor(budgetBytes / 8),
  });
}

/** The size of the buffers of such a share: what even a small loan takes. */
export function bufferSizeIn(budgetBytes: number): number {
  const size = 2 ** Math.floor(Math.log2(budgetBytes / 16));
  return Math.min(LARGEST_BUFFER_BYTES, Math.max(SMALLEST_BUFFER_BYTES, size));
}

/** A batch of such a share for whoever has much to put in: a sixteenth of it, whole buffers. */
export function largeBatchBytesIn(budgetBytes: number): number {
  const buffer = bufferSizeIn(budgetBytes);
  return Math.min(LARGEST_BATCH_BYTES, Math.max(1, Math.floor(budgetBytes / 16 / buffer)) * buffer);
}
