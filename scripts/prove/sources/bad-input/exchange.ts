import { connect } from 'node:net';

/** What came back; `closed` behind it when the other side ended the connection. */
export interface Answer {
  readonly text: string;
  readonly isClosed: boolean;
  readonly ms: number;
}

export interface ExchangeOptions {
  /** Has the answer come? Default: the end of the connection is waited for. */
  readonly isWhole?: (text: string) => boolean;
  readonly waitMs?: number;
  /** Goes away itself once the bytes are written. */
  readonly leaves?: boolean;
}

/** Sends bytes over a connection of their own. */
export function exchange(
  port: number,
  bytes: Uint8Array,
  { isWhole = () => false, waitMs = 5000, leaves = false }: ExchangeOptions = {},
): Promise<Answer> {
  const started = performance.now();
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const settle = (isClosed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, isClosed, ms: performance.now() - started });
    };
    const timer = setTimeout(() => {
      settle(false);
    }, waitMs);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      settle(true);
    });
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      if (isWhole(text)) settle(false);
    });
    socket.write(bytes, () => {
      if (leaves) settle(true);
    });
  });
}
