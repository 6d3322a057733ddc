/** A thread of the bench: writes a file to a port, as fast as it is read there, and drops what is answered. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { connect } from 'node:net';
import { workerData } from 'node:worker_threads';

export interface SendFile {
  readonly file: string;
  readonly port: number;
}

const READ_BYTES = 256 * 1024;

const { file, port } = workerData as SendFile;
const socket = connect({ port, host: '127.0.0.1', noDelay: true });
await once(socket, 'connect');
socket.resume();
for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES }))
  if (!socket.write(chunk as Buffer)) await once(socket, 'drain');
socket.end();
await once(socket, 'close');
