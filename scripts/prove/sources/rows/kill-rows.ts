import { proveLines, variants } from '../../lines.ts';
import { provePosts } from '../../posts.ts';
import type { Row } from '../../rows/row.ts';
import { forwardProtocol, lineProtocol } from '../acknowledged-sender.ts';
import { proveKilledFiles } from '../kill-files.ts';
import { proveKilledKafka } from '../kill-kafka.ts';
import { proveKilledPush } from '../kill-push.ts';
import { proveKilledSyslog } from '../kill-syslog.ts';

const fault = 'kill -9 under load';

export const killRows: readonly Row[] = [
  {
    name: 'kill-file',
    component: 'file',
    fault,
    on: 'embedded',
    by: {
      lines: 100_000,
      kills: 4,
      long: { lines: 1_000_000, kills: 20 },
      prove: (proof) => proveLines(proof, variants.bySource),
    },
  },
  {
    name: 'kill-file-exactly-once',
    component: 'file',
    fault: `${fault}, \`delivery: exactly_once\``,
    on: 'one broker',
    by: { lines: 100_000, kills: 3, long: { lines: 1_000_000, kills: 10 }, prove: proveKilledFiles('exactly_once') },
  },
  {
    name: 'kill-file-at-least-once',
    component: 'file',
    fault: `${fault}; what is there twice is counted against its bound`,
    on: 'one broker',
    by: { lines: 200_000, kills: 3, long: { lines: 1_000_000, kills: 10 }, prove: proveKilledFiles('at_least_once') },
  },
  {
    name: 'kill-fluentd',
    component: 'forward',
    fault: `${fault}; clients send chunks again that were not acknowledged`,
    on: 'embedded',
    by: {
      lines: 40_000,
      kills: 5,
      long: { lines: 200_000, kills: 20 },
      prove: (proof) =>
        proveKilledPush(
          {
            name: 'sources-kill-fluentd',
            source: (port) => `fluentd: { listen: '127.0.0.1:${port}' }`,
            protocol: forwardProtocol,
            isExact: true,
          },
          proof,
        ),
    },
  },
  {
    name: 'restart-fluentd',
    component: 'forward',
    fault: 'SIGTERM again and again under load; clients send chunks again that were not acknowledged',
    on: 'embedded',
    by: {
      lines: 80_000,
      kills: 20,
      prove: (proof) =>
        proveKilledPush(
          {
            name: 'sources-restart-fluentd',
            source: (port) => `fluentd: { listen: '127.0.0.1:${port}' }`,
            protocol: forwardProtocol,
            isExact: true,
            signal: 'SIGTERM',
          },
          proof,
        ),
    },
  },
  {
    name: 'kill-http',
    component: 'http',
    fault: `${fault}; clients post again what was not acknowledged, with an Idempotency-Key`,
    on: 'embedded',
    by: { lines: 20_000, kills: 5, long: { lines: 100_000, kills: 20 }, prove: (proof) => provePosts(proof, true) },
  },
  {
    name: 'kill-socket',
    component: 'socket',
    fault: `${fault}; clients send lines again that were not acknowledged`,
    on: 'embedded',
    by: {
      lines: 40_000,
      kills: 5,
      long: { lines: 200_000, kills: 20 },
      prove: (proof) =>
        proveKilledPush(
          {
            name: 'sources-kill-socket',
            source: (port) => `socket: { listen: '127.0.0.1:${port}', format: json, acknowledge: true }`,
            protocol: lineProtocol,
            isExact: false,
          },
          proof,
        ),
    },
  },
  {
    name: 'kill-syslog',
    component: 'syslog',
    fault: `${fault} over TCP, which acknowledges nothing`,
    on: 'embedded',
    by: { lines: 100_000, kills: 3, long: { lines: 1_000_000, kills: 10 }, prove: proveKilledSyslog },
  },
  {
    name: 'kill-kafka-source',
    component: 'kafka',
    fault: `${fault}, \`delivery: exactly_once\``,
    on: 'one broker',
    by: { lines: 100_000, kills: 3, long: { lines: 500_000, kills: 10 }, prove: proveKilledKafka },
  },
];
