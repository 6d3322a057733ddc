import { duration, listenAddress, size, Type, type Static } from 'sluice/api';
import { allowOption, tlsOptions, unixSocketOptions } from 'sluice/toolkit';

const unixOptions = Type.Object(
  {
    kind: Type.Union([Type.Literal('datagram'), Type.Literal('stream')], {
      default: 'datagram',
      description:
        '`datagram`: as programs write to `/dev/log`, on Linux, with the optional package `koffi`. `stream`: as over TCP.',
    }),
    ...unixSocketOptions.properties,
  },
  {
    additionalProperties: false,
    description:
      'Serve a socket in the file system, as `/dev/log` is one, instead of `listen`. What finds no room is not read: senders wait.',
  },
);

export const sourceOptions = Type.Object(
  {
    listen: listenAddress({
      default: '127.0.0.1:5514',
      description:
        'Address and port. `:5514` is this machine only; `0.0.0.0:514` is everybody who reaches it, and ports below 1024 may ask for rights.',
    }),
    transport: Type.Union([Type.Literal('tcp'), Type.Literal('udp')], {
      default: 'tcp',
      description: 'TCP holds back senders that are too fast; UDP loses what finds no room. TLS is over TCP.',
    }),
    unix: Type.Optional(unixOptions),
    tls: Type.Optional(tlsOptions),
    allow: Type.Optional(allowOption),
    value: Type.Union([Type.Literal('json'), Type.Literal('raw')], {
      default: 'json',
      description: 'What the value of a record is: an object of the parts of the message, or the message as it came.',
    }),
    client_header: Type.String({
      default: '',
      maxLength: 256,
      description:
        'The record header that holds the address of the sender, `unix` over a Unix socket; none when it is empty.',
    }),
    utc_offset: Type.String({
      default: '+00:00',
      pattern: '^[+-](0\\d|1[0-4]):[0-5]\\d$',
      description: 'The zone of times that say none, as RFC 3164 writes them.',
    }),
    max_message: size({
      default: '64KiB',
      minimum: '480B',
      maximum: '16MiB',
      description: 'A longer message becomes a dead letter, cut to this size.',
    }),
    max_in_flight: size({
      default: '64MiB',
      minimum: '1MiB',
      maximum: '4GiB',
      description: 'Memory for messages over TCP that have not come whole; when it is spent, nothing more is read.',
    }),
    max_connections: Type.Integer({
      default: 4096,
      minimum: 1,
      maximum: 65_536,
      description: 'Beyond it the connection that has kept us waiting longest makes room for a new one.',
    }),
    max_connections_per_address: Type.Integer({
      default: 256,
      minimum: 1,
      maximum: 65_536,
      description: 'As `max_connections`, for each client address; clients on this machine are not counted.',
    }),
    message_timeout: duration({
      default: '60s',
      minimum: '100ms',
      maximum: '1h',
      description:
        'How long a client may take for its TLS handshake, and for a message from its first byte to its last.',
    }),
    keep_alive: duration({
      default: '24h',
      minimum: '100ms',
      maximum: '30d',
      description: 'How long a connection without a message is kept. Devices are silent for long.',
    }),
  },
  { additionalProperties: false },
);

export type SourceOptions = Static<typeof sourceOptions>;
