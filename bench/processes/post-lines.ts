/** A thread of the bench: posts the lines of a file, each body once, and counts in shared memory what was acknowledged. */
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { HttpAnswers } from '../http-answers.ts';

export interface PostLines {
  readonly file: string;
  readonly port: number;
  readonly recordsPerBody: number;
  readonly connections: number;
  /** One Int32: the records of all requests that were answered with 200. */
  readonly acknowledged: SharedArrayBuffer;
}

const READ_BYTES = 4 * 1024 * 1024;
const AGAIN_MS = 20;

const { file, port, recordsPerBody, connections, acknowledged } = workerData as PostLines;
const counter = new Int32Array(acknowledged);

const input = await open(file);
const bodies = bodiesOf(input);
await Promise.all(Array.from({ length: connections }, client));
await input.close();

interface Body {
  readonly bytes: Buffer;
  readonly records: number;
}

/** One request at a time on a connection, as clients do that wait for the answer. */
async function client(): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const answers = new HttpAnswers(socket);
  for (;;) {
    const { value: body } = (await bodies.next()) as { readonly value?: Body };
    if (body === undefined) break;
    const head = `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.bytes.length}\r\n\r\n`;
    for (;;) {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body.bytes);
      socket.uncork();
      const status = await answers.next();
      if (status === 200) break;
      if (status !== 429 && status !== 503) throw new Error(`posting: HTTP ${status}`);
      await sleep(AGAIN_MS);
    }
    Atomics.add(counter, 0, body.records);
  }
  socket.end();
}

/** Whole lines, so many to a body. */
async function* bodiesOf(handle: FileHandle): AsyncGenerator<Body> {
  let rest: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, READ_BYTES, null);
    const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    const isLast = bytesRead === 0;
    let start = 0;
    let end = 0;
    let records = 0;
    for (let feed = bytes.indexOf(10); feed >= 0; feed = bytes.indexOf(10, end)) {
      end = feed + 1;
      records++;
      if (records < recordsPerBody) continue;
      yield { bytes: bytes.subarray(start, end), records };
      start = end;
      records = 0;
    }
    if (isLast && records > 0) yield { bytes: bytes.subarray(start, end), records };
    if (isLast) return;
    rest = bytes.subarray(start);
  }
}
