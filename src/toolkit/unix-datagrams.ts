import { setImmediate as nextTurn } from 'node:timers/promises';
import { UNIX_CLIENT } from './connections.ts';
import { DatagramIntake, type IntakeOptions } from './datagram-intake.ts';
import type { GatheredRecords } from './gathered-records.ts';
import { UnixDatagramSocket } from './unix-datagram-socket.ts';
import type { UnixSocketOptions } from './unix-socket.ts';

export interface UnixDatagramOptions<
  Gathering extends { readonly records: GatheredRecords },
> extends IntakeOptions<Gathering> {
  readonly unix: UnixSocketOptions;
  /** What is longer is cut there. */
  readonly maxBytes: number;
}

/** Others have a turn of the event loop between so many. */
const DATAGRAMS_IN_TURN = 256;

/**
 * Receives datagrams over a Unix socket until the source is asked to end, those included that were sent by then. What finds no room is not read: senders wait. Rejects
 * with `LISTENER_IN_USE` or `OPTION_INVALID`.
 */
export async function receiveUnixDatagrams<Gathering extends { readonly records: GatheredRecords }>(
  options: UnixDatagramOptions<Gathering>,
): Promise<void> {
  const { signal } = options.context;
  if (signal.aborted) return;
  const socket = await UnixDatagramSocket.open(options.unix, options.maxBytes);
  const intake = new DatagramIntake(options, UNIX_CLIENT);
  try {
    options.context.report(`listening ${options.unix.path}`);
    do {
      await socket.readable(signal);
      await takeWaiting(socket, intake);
    } while (!isAborted(signal));
    await socket.unlink();
    await takeWaiting(socket, intake);
  } finally {
    await socket.unlink();
    await socket.close();
    await intake.flush();
  }
}

/** It may have been while something was awaited, which the compiler does not see. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

async function takeWaiting<Gathering extends { readonly records: GatheredRecords }>(
  socket: UnixDatagramSocket,
  intake: DatagramIntake<Gathering>,
): Promise<void> {
  for (let taken = 1; ; taken++) {
    const datagram = socket.receive();
    if (datagram === null) return;
    intake.take(datagram, UNIX_CLIENT);
    if (!intake.hasRoom) await intake.flush();
    else if (taken % DATAGRAMS_IN_TURN === 0) await nextTurn();
  }
}
