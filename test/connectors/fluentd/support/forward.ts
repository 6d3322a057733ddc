import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { sourceDefinition } from '../../../../connectors/fluentd/index.ts';
import type { SourceOptions } from '../../../../connectors/fluentd/options.ts';
import { realClock } from '../../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness, type SourceHarnessOptions } from '../../../../src/testing/index.ts';

const MEBIBYTE = 1024 * 1024;

const defaultOptions: SourceOptions = {
  protocol: 'forward',
  listen: { host: '127.0.0.1', port: 0 },
  udp_heartbeat: false,
  tag_header: 'fluent.tag',
  invalid_text: 'replace',
  max_message: 32 * MEBIBYTE,
  max_inflated_message: 128 * MEBIBYTE,
  max_in_flight: 256 * MEBIBYTE,
  max_connections: 4096,
  max_connections_per_address: 256,
  handshake_timeout: 10_000,
  message_timeout: 60_000,
  keep_alive: 60_000,
};

export interface Forward {
  readonly harness: SourceHarness;
  readonly port: number;
  open(): Promise<Client>;
  stop(): Promise<void>;
}

const running = new Set<SourceHarness>();

/** A running source on a port of its own; `stopAll` ends it. */
export async function listen(
  options: Partial<SourceOptions> = {},
  harnessOptions: Partial<SourceHarnessOptions> = {},
): Promise<Forward> {
  const harness = createSourceHarness({
    clock: realClock,
    ...harnessOptions,
    definition: sourceDefinition,
    options: { ...defaultOptions, ...options },
  });
  await harness.start();
  while (harness.status === '') await Promise.race([harness.ended, realClock.sleep(1)]);
  running.add(harness);
  const port = Number(/:(\d+)$/.exec(harness.status)?.[1]);
  return {
    harness,
    port,
    open: () => Client.open(port),
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

/** A connection that keeps all that comes. */
export class Client {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    // A reset is an end like others.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async open(port: number, ca?: Buffer): Promise<Client> {
    const socket = ca === undefined ? connect(port, '127.0.0.1') : connectTls({ port, host: '127.0.0.1', ca });
    const client = new Client(socket);
    await once(socket, ca === undefined ? 'connect' : 'secureConnect');
    return client;
  }

  send(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === 'string' ? hex(bytes) : bytes);
  }
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

/** Resolves when the condition holds; rejects after five seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited too long for ${condition.toString()}`);
    await realClock.sleep(2);
  }
}
