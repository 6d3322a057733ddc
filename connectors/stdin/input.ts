import { createReadStream, fstatSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';
import type { DuplexOptions, Readable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';

const FD = 0;
/** Read ahead while records wait for their commit: the more there is, the more share the next one. */
const READ_AHEAD_BYTES = 1024 * 1024;

/**
 * The standard input as a stream of this thread: in a worker `process.stdin` is empty. Pipes and terminals are waited for by the event loop, so
 * that destroying the stream ends the wait at once; a thread of `fs` would stay blocked in its read. None of them closes the descriptor, which a
 * restarted source needs again.
 */
export function openStandardInput(): Readable {
  if (isatty(FD)) return new ReadStream(FD);
  const kind = fstatSync(FD);
  if (kind.isFIFO() || kind.isSocket()) {
    const options: SocketConstructorOpts & DuplexOptions = {
      fd: FD,
      readable: true,
      writable: false,
      readableHighWaterMark: READ_AHEAD_BYTES,
    };
    return new Socket(options);
  }
  return createReadStream('', { fd: FD, autoClose: false, highWaterMark: READ_AHEAD_BYTES });
}
