import { FluentClient } from '@fluent-org/logger';
import { readFile } from 'node:fs/promises';
import { clientRow, type Client, type ClientRow, type Sending } from '../client-row.ts';
import { numberOf } from '../numbered-messages.ts';
import { startFluentBit, startFluentd } from '../peers/forwarders.ts';
import { lacks } from '../peers/prepared.ts';
import { goForward, program, python, pythonPackages } from '../peers/programs.ts';

const KEY = 'a key of the proof';
const USER = { username: 'proof', password: 'a password of the proof' };

const listeners: ClientRow['listeners'] = {
  plain: ({ port }) => `fluentd: { listen: '127.0.0.1:${port}' }`,
  keyed: ({ port }) => `fluentd: { listen: '127.0.0.1:${port}', security: { shared_key: '${KEY}' } }`,
  secure: ({ port, certificates: { serverCertificate: cert, serverKey: key } }) =>
    `fluentd: { listen: '127.0.0.1:${port}', tls: { cert: '${cert}', key: '${key}' }, security: { shared_key: '${KEY}', users: [{ username: '${USER.username}', password: '${USER.password}' }] } }`,
};

const go = (mode: 'ack' | 'async' | 'plain'): Client => ({
  name: `Go ${mode}`,
  to: 'plain',
  send: async ({ port, first, count }) => {
    await program(`${await goForward()}/forward`, [String(port), 'proof', String(first), String(count), mode]);
    return undefined;
  },
});

type Mode = 'Message' | 'Forward' | 'PackedForward' | 'CompressedPackedForward';

/** The npm logger asks for acknowledgements; `secure` is TLS with a shared key and a user. */
const npm = (eventMode: Mode, to: keyof typeof listeners = 'plain'): Client => ({
  name: `npm ${eventMode}${to === 'plain' ? '' : `, ${to}`}`,
  to,
  send: async (sending) => {
    await sendByNpm(eventMode, to, sending);
    return undefined;
  },
});

async function sendByNpm(eventMode: Mode, to: string, { port, first, count, certificates }: Sending): Promise<void> {
  const security = { clientHostname: 'proof.example', sharedKey: KEY, ...(to === 'secure' ? USER : {}) };
  const ca = await readFile(certificates.ca);
  const client = new FluentClient('proof', {
    eventMode,
    ack: { ackTimeout: 30_000 },
    socket: { host: '127.0.0.1', port, timeout: 30_000, ...(to === 'secure' ? { tls: { ca } } : {}) },
    ...(to === 'plain' ? {} : { security }),
  });
  const emits = Array.from({ length: count }, (_each, at) => client.emit({ n: first + at, text: 'from Node, Grüße' }));
  // After a handshake that failed its promises never settle.
  const late = new Promise<never>((_resolve, reject) =>
    setTimeout(() => {
      reject(new Error(`not acknowledged within a minute`));
    }, 60_000).unref(),
  );
  await Promise.race([Promise.all(emits), late]);
  await client.disconnect();
}

const goRemedy = ['go', 'https://go.dev/dl, or apt-get install golang-go'] as const;
const pythonRemedy = ['python3', 'apt-get install python3 python3-pip'] as const;

export const forwardRows = [
  clientRow({
    name: 'forward-go',
    component: 'forward',
    fault: 'the Go logger, with acknowledgements, asynchronous, and without',
    records: 2000,
    listeners: { plain: listeners.plain! },
    clients: [go('ack'), go('ack'), go('async'), go('plain')],
    missing: lacks(goRemedy),
  }),
  clientRow({
    name: 'forward-python',
    component: 'forward',
    fault: 'the Python logger, which knows no acknowledgements',
    records: 10_000,
    listeners: { plain: listeners.plain! },
    clients: ['Python', 'Python again'].map((name) => ({
      name,
      to: 'plain',
      send: async ({ port, first, count }) => {
        const packages = await pythonPackages('python-fluent-logger-0.11.1', [
          'fluent-logger==0.11.1',
          'msgpack==1.2.4',
        ]);
        await python('forward.py', [String(port), 'proof', String(first), String(count)], packages);
        return undefined;
      },
    })),
    missing: lacks(pythonRemedy),
  }),
  clientRow({
    name: 'forward-npm',
    component: 'forward',
    fault: 'the npm logger in all modes, gzip, acknowledged, with a shared key, over TLS with a user',
    records: 3000,
    listeners,
    clients: [
      npm('Message'),
      npm('Forward'),
      npm('PackedForward'),
      npm('CompressedPackedForward'),
      npm('PackedForward', 'keyed'),
      npm('CompressedPackedForward', 'secure'),
    ],
  }),
  clientRow({
    name: 'forward-fluentd',
    component: 'forward',
    fault: 'fluentd: in_tail to out_forward, acknowledged, text and gzip',
    records: 10_000,
    listeners: { plain: listeners.plain! },
    clients: (['text', 'gzip'] as const).map((compress) => ({
      name: `fluentd, ${compress}`,
      to: 'plain',
      send: (sending) => startFluentd(sending, compress),
    })),
    numberOf,
    missing: lacks(['fluentd', 'https://www.fluentd.org/download']),
  }),
  clientRow({
    name: 'forward-fluent-bit',
    component: 'forward',
    fault: 'Fluent Bit: tail to forward, acknowledged, text and gzip',
    records: 10_000,
    listeners: { plain: listeners.plain! },
    clients: (['text', 'gzip'] as const).map((compress) => ({
      name: `Fluent Bit, ${compress}`,
      to: 'plain',
      send: (sending) => startFluentBit(sending, compress),
    })),
    numberOf,
    missing: lacks(['fluent-bit', 'https://docs.fluentbit.io/manual/installation']),
  }),
];
