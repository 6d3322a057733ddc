import { open } from 'node:fs/promises';

const READ_BYTES = 1024 * 1024;

/** The lines of a file in arrays of `size`, the last one shorter: slices of what was read, without their `\n`. */
export async function* lineBatches(file: string, size: number): AsyncGenerator<Buffer[]> {
  const input = await open(file);
  try {
    let rest: Buffer = Buffer.alloc(0);
    let batch: Buffer[] = [];
    for (;;) {
      // A new one each time: whoever sends slices holds on to it.
      const bytes = Buffer.allocUnsafe(rest.length + READ_BYTES);
      rest.copy(bytes);
      const { bytesRead } = await input.read(bytes, rest.length, READ_BYTES, null);
      if (bytesRead === 0) break;
      const filled = bytes.subarray(0, rest.length + bytesRead);
      let start = 0;
      for (let end = filled.indexOf(10); end >= 0; end = filled.indexOf(10, start)) {
        batch.push(filled.subarray(start, end));
        start = end + 1;
        if (batch.length < size) continue;
        yield batch;
        batch = [];
      }
      rest = filled.subarray(start);
    }
    if (rest.length > 0) batch.push(rest);
    if (batch.length > 0) yield batch;
  } finally {
    await input.close();
  }
}
