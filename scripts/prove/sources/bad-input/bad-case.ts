import { exchange, type Answer, type ExchangeOptions } from './exchange.ts';

const WITHIN_MS = 3000;

/** Something that a client should not send. */
export interface BadCase {
  readonly name: string;
  /** Made before anything is sent: some takes long. */
  readonly bytes: () => Uint8Array;
  readonly how?: ExchangeOptions;
  readonly isRight: (answer: Answer) => boolean;
  /** Records that it may leave, since it is only odd. */
  readonly records?: number;
}

/** Null when it was answered as it has to be, and in time, else what is wrong. */
export async function sendBad({ how, isRight }: BadCase, port: number, bytes: Uint8Array): Promise<string | null> {
  const answer = await exchange(port, bytes, how);
  const what = answer.text === '' ? 'nothing' : JSON.stringify(answer.text.slice(0, 80));
  if (!isRight(answer)) return `${what} came back${answer.isClosed ? ', and the connection was closed' : ''}`;
  return answer.ms > WITHIN_MS ? `it took ${Math.round(answer.ms)} ms` : null;
}
