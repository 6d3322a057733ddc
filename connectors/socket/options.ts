import { duration, listenAddress, size, Type, type Static } from 'sluice/api';
import { allowOption, lengthOptions, tlsOptions, unixSocketOptions } from 'sluice/toolkit';

export const sourceOptions = Type.Object(
  {
    listen: listenAddress({
      default: '127.0.0.1:5170',
      description: 'Address and port. `:5170` is this machine only; `0.0.0.0:5170` is everybody who reaches it.',
    }),
    transport: Type.Union([Type.Literal('tcp'), Type.Literal('udp')], {
      default: 'tcp',
      description:
        'TCP holds back senders that are too fast; UDP loses what finds no room. TLS is over TCP. `unix` is a stream, as TCP.',
    }),
    unix: Type.Optional(unixSocketOptions),
    tls: Type.Optional(tlsOptions),
    allow: Type.Optional(allowOption),
    framing: Type.Union([Type.Literal('lines'), Type.Literal('nul'), Type.Literal('length'), Type.Literal('none')], {
      default: 'lines',
      description:
        'How records are told apart: by line feeds, by NUL bytes, by a length before each, or not at all (UDP: a datagram is a record).',
    }),
    ...lengthOptions,
    format: Type.Union([Type.Literal('bytes'), Type.Literal('json')], {
      default: 'bytes',
      description: '`json`: what is not one JSON value becomes a dead letter. `bytes`: anything is a record.',
    }),
    client_header: Type.String({
      default: '',
      maxLength: 256,
      description:
        'The record header that holds the address of the sender, `unix` over a Unix socket; none when it is empty.',
    }),
    acknowledge: Type.Boolean({
      default: false,
      description:
        'Write a line `ack N` back once the first N records of the connection are in the topic, or its dead letters.',
    }),
    max_frame: size({
      default: '1MiB',
      minimum: '64B',
      maximum: '64MiB',
      description:
        'A longer record becomes a dead letter, cut to this size; one with a length before it closes the connection.',
    }),
    max_in_flight: size({
      default: '128MiB',
      minimum: '1MiB',
      maximum: '4GiB',
      description: 'Memory for records over TCP that have not come whole; when it is spent, nothing more is read.',
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
        'How long a client may take for its TLS handshake, and for a record from its first byte to its last.',
    }),
    keep_alive: duration({
      default: '1h',
      minimum: '100ms',
      maximum: '30d',
      description: 'How long a connection without a record is kept.',
    }),
  },
  { additionalProperties: false },
);

export type SourceOptions = Static<typeof sourceOptions>;
