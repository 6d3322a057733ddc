import { clientRow, type Client, type ClientRow } from '../client-row.ts';
import { messages, numberOf } from '../numbered-messages.ts';
import { lacks } from '../peers/prepared.ts';
import { program } from '../peers/programs.ts';
import { startRsyslog, startSyslogNg } from '../peers/relays.ts';

const listeners: ClientRow['listeners'] = {
  tcp: ({ port }) => `syslog: { listen: '127.0.0.1:${port}' }`,
  udp: ({ port }) => `syslog: { listen: '127.0.0.1:${port}', transport: udp }`,
  tls: ({ port, certificates: { serverCertificate: cert, serverKey: key } }) =>
    `syslog: { listen: '127.0.0.1:${port}', tls: { cert: '${cert}', key: '${key}' } }`,
};

const logger = (name: string, to: 'tcp' | 'udp', flags: readonly string[]): Client => ({
  name: `logger ${name}`,
  to,
  send: async (sending) => {
    const file = await messages(sending);
    const place = ['-n', '127.0.0.1', '-P', String(sending.port)];
    await program('logger', [...place, ...flags, '-t', 'proof', '-f', file]);
    return undefined;
  },
});

const rsyslog = (name: string, to: 'tcp' | 'udp' | 'tls', framing: 'octet-counted' | 'traditional'): Client => ({
  name: `rsyslog ${name}`,
  to,
  send: async (sending) => startRsyslog({ ...sending, to, input: await messages(sending) }, framing),
});

const syslogNg = (name: string, to: 'tcp' | 'udp' | 'tls', driver: 'syslog' | 'network'): Client => ({
  name: `syslog-ng ${name}`,
  to,
  send: async (sending) => startSyslogNg({ ...sending, to, input: await messages(sending) }, driver),
});

export const syslogRows = [
  clientRow({
    name: 'logger',
    component: 'syslog',
    fault: '`logger`: lines and counted frames over TCP, RFC 3164 and 5424, datagrams',
    records: 5000,
    listeners,
    clients: [
      logger('TCP, RFC 3164', 'tcp', ['-T', '--rfc3164']),
      logger('TCP, RFC 5424', 'tcp', ['-T', '--rfc5424']),
      logger('TCP, counted', 'tcp', ['-T', '--octet-count']),
      logger('UDP', 'udp', ['-d']),
    ],
    numberOf,
    missing: lacks(['logger', 'apt-get install bsdutils']),
  }),
  clientRow({
    name: 'rsyslog',
    component: 'syslog',
    fault: 'rsyslog: lines and counted frames over TCP, TLS, 2,000 datagrams a second',
    records: 10_000,
    listeners,
    clients: [
      rsyslog('TCP, counted', 'tcp', 'octet-counted'),
      rsyslog('TCP, lines', 'tcp', 'traditional'),
      rsyslog('TLS, counted', 'tls', 'octet-counted'),
      rsyslog('UDP', 'udp', 'traditional'),
    ],
    numberOf,
    missing: lacks(['rsyslogd', 'apt-get install rsyslog'], ['apt-get', 'a system with the packages of Debian']),
  }),
  clientRow({
    name: 'syslog-ng',
    component: 'syslog',
    fault: 'syslog-ng: counts and frames in segments of their own, RFC 3164 lines, TLS, 2,000 datagrams a second',
    records: 10_000,
    listeners,
    clients: [
      syslogNg('TCP, counted', 'tcp', 'syslog'),
      syslogNg('TCP, lines', 'tcp', 'network'),
      syslogNg('TLS, counted', 'tls', 'syslog'),
      syslogNg('UDP', 'udp', 'syslog'),
    ],
    numberOf,
    missing: lacks(['apt-get', 'a system with the packages of Debian']),
  }),
];
