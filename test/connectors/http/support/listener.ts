import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { realClock } from '../../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness, type SourceHarnessOptions } from '../../../../src/testing/index.ts';
import { sourceDefinition } from '../../../../connectors/http/index.ts';
import type { SourceOptions } from '../../../../connectors/http/options.ts';

const MEBIBYTE = 1024 * 1024;

export const defaultOptions: SourceOptions = {
  listen: { host: '127.0.0.1', port: 0 },
  format: 'auto',
  cloudevents: { structured: 'unfold' },
  elasticsearch: { version: '8.19.2' },
  headers: [],
  path_header: '',
  client_header: '',
  trusted_proxies: [],
  forwarded_header: 'X-Forwarded-For',
  max_body: 16 * MEBIBYTE,
  max_inflated_body: 64 * MEBIBYTE,
  max_records: 100_000,
  max_in_flight: 128 * MEBIBYTE,
  max_connections: 1024,
  max_connections_per_address: 64,
  headers_timeout: 10_000,
  request_timeout: 60_000,
  keep_alive: 5000,
  answer_timeout: 30_000,
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Parsed. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Listening {
  readonly harness: SourceHarness;
  readonly port: number;
  post(body: string | Buffer, headers?: Record<string, string>): Promise<Answer>;
  ask(options: RequestOptions, body?: string | Buffer): Promise<Answer>;
  open(): Promise<Socket>;
  /** Writes the text on a connection of its own and resolves with all that comes until the other side closes it. */
  raw(text: string | Buffer): Promise<string>;
  stop(): Promise<void>;
}

const running = new Set<SourceHarness>();

/** A running source on a port of its own; `stopAll` ends it. */
export async function listen(
  options: Partial<SourceOptions> = {},
  harnessOptions: Partial<SourceHarnessOptions> = {},
): Promise<Listening> {
  const harness = createSourceHarness({
    clock: realClock,
    ...harnessOptions,
    definition: sourceDefinition,
    options: { ...defaultOptions, ...options },
  });
  await harness.start();
  while (harness.status === '') await Promise.race([harness.ended, realClock.sleep(1)]);
  running.add(harness);
  const port = Number(/:(\d+)$/.exec(harness.status)![1]);
  const ask = (asked: RequestOptions, body?: string | Buffer): Promise<Answer> =>
    answerOf({ host: '127.0.0.1', port, ...asked }, body, options.tls !== undefined);
  return {
    harness,
    port,
    ask,
    post: (body, headers = { 'content-type': 'application/json' }) => ask({ method: 'POST', headers }, body),
    open: () => open(port),
    raw: async (text) => {
      const socket = await open(port);
      const answer = received(socket);
      socket.write(text);
      return answer;
    },
    stop: () => {
      running.delete(harness);
      return harness.stop();
    },
  };
}

export async function stopAll(): Promise<void> {
  const harnesses = [...running];
  running.clear();
  for (const harness of harnesses) {
    harness.release();
    await harness.stop();
  }
}

/** Everything that comes until the other side closes. */
export function received(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  return new Promise((resolve) =>
    socket.once('close', () => {
      resolve(Buffer.concat(chunks).toString());
    }),
  );
}

/** Resolves when the condition holds; rejects after five seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited too long for ${condition.toString()}`);
    await realClock.sleep(2);
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // A reset is an end like others; what was received before is what counts.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function answerOf(options: RequestOptions, body: string | Buffer | undefined, isSecure: boolean): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = (isSecure ? httpsRequest : httpRequest)(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const parsed = (text === '' ? {} : JSON.parse(text)) as Answer['body'];
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed });
      });
    });
    sending.on('error', reject);
    sending.end(body);
  });
}
