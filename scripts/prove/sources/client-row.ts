import { join } from 'node:path';
import type { LedgerOptions } from '../../../src/testing/index.ts';
import { makeCertificates, type Certificates } from '../../services/certificates.ts';
import type { Servers } from '../kafka/servers.ts';
import type { Proof, Result } from '../proof.ts';
import type { Row } from '../rows/row.ts';
import { Daemon } from './peers/daemon.ts';
import { SourceRun } from './source-run.ts';

/** What one client has to send. */
export interface Sending {
  readonly port: number;
  /** The client’s own, empty. */
  readonly folder: string;
  /** Its numbers, in order, over one connection. */
  readonly first: number;
  readonly count: number;
  readonly certificates: Certificates;
}

export interface Client {
  readonly name: string;
  /** The listener that it sends to. */
  readonly to: string;
  /**
   * Resolves when it has sent everything and, where its protocol has such a thing, been told that it is safe; a daemon at once: it is ended when everything has come.
   */
  readonly send: (sending: Sending) => Promise<Daemon | undefined>;
}

export interface ClientRow {
  readonly name: string;
  readonly component: string;
  /** What is shown, for the table. */
  readonly fault: string;
  /** Of each client. */
  readonly records: number;
  readonly listeners: Readonly<Record<string, (place: { port: number; certificates: Certificates }) => string>>;
  /** They send at the same time. */
  readonly clients: readonly Client[];
  readonly numberOf?: NonNullable<LedgerOptions['numberOf']>;
  readonly missing?: () => Promise<string | null>;
}

/** Clients that others wrote send numbered records into a hub on Kafka: each is there once, and in order per connection. */
export function clientRow(row: ClientRow): Row {
  return {
    name: row.name,
    component: row.component,
    fault: row.fault,
    on: 'one broker',
    ...(row.missing === undefined ? {} : { missing: row.missing }),
    by: { lines: row.records, kills: 0, prove: (proof, servers) => proveClients(row, proof, servers) },
  };
}

async function proveClients(row: ClientRow, { folder, lines: count }: Proof, servers: Servers): Promise<Result> {
  const [{ brokers }, certificates] = await Promise.all([
    servers.shared('kafka'),
    makeCertificates(join(folder, 'certificates')),
  ]);
  const listeners = Object.fromEntries(
    Object.entries(row.listeners).map(([name, of]) => [name, (port: number) => of({ port, certificates })]),
  );
  const run = await SourceRun.start({ folder: join(folder, 'hub'), name: `sources-${row.name}`, listeners, brokers });
  try {
    const started = performance.now();
    const daemons = await Promise.all(
      row.clients.map(async ({ name, to, send }, at) => {
        const sending = { port: run.ports[to]!, folder: join(folder, `client-${at}`), first: at * count, count };
        return send({ ...sending, certificates }).catch((error: unknown) => {
          throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
        });
      }),
    );
    const expected = row.clients.length * count;
    const running = daemons.filter((daemon) => daemon instanceof Daemon);
    await run.holds(expected, running).finally(() => Promise.all(running.map((daemon) => daemon.end())));
    const { strange, reordered, ...counted } = await run.count({
      expected,
      streamOf: (number) => Math.floor(number / count),
      ...(row.numberOf === undefined ? {} : { numberOf: row.numberOf }),
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    return {
      ...counted,
      expected,
      note: `${row.clients.map(({ name }) => name).join('; ')}: in order, ${seconds} s`,
      problems: [
        ...(strange > 0 ? [`${strange} records that nobody sent`] : []),
        ...(reordered > 0 ? [`${reordered} records out of order`] : []),
      ],
      unjudged: [],
    };
  } finally {
    await run.end();
  }
}
