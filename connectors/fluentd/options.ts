import { duration, listenAddress, secret, size, Type, type Static } from 'sluice/api';
import { allowOption, authOptions, corsOptions, tlsOptions, unixSocketOptions } from 'sluice/toolkit';

const userOptions = Type.Object(
  {
    username: Type.String({ minLength: 1, maxLength: 256, description: 'The user name.' }),
    password: secret({ description: 'The password.' }),
  },
  { additionalProperties: false },
);

const securityOptions = Type.Object(
  {
    shared_key: secret({ description: 'What clients and this server both know (`shared_key` of their `<security>`).' }),
    self_hostname: Type.String({
      default: 'sluice',
      minLength: 1,
      maxLength: 255,
      description: 'The name that clients are told. Clients refuse a server that has their own name.',
    }),
    users: Type.Array(userOptions, {
      default: [],
      maxItems: 1000,
      description: 'When there are any, clients have to be one of them, beside knowing the key.',
    }),
  },
  {
    additionalProperties: false,
    description: 'The handshake of the forward protocol. Without it everybody is served.',
  },
);

export const sourceOptions = Type.Object(
  {
    protocol: Type.Union([Type.Literal('forward'), Type.Literal('http')], {
      default: 'forward',
      description:
        '`forward`: what fluentd, Fluent Bit, Docker and fluent loggers speak. `http`: what `in_http` of fluentd takes, with the path as the tag.',
    }),
    listen: listenAddress({
      default: '127.0.0.1:24224',
      description:
        'Address and port. `:24224` is this machine only; `0.0.0.0:24224` is everybody who reaches it, for whom you want `tls` and `security`.',
    }),
    unix: Type.Optional(unixSocketOptions),
    tls: Type.Optional(tlsOptions),
    allow: Type.Optional(allowOption),
    security: Type.Optional(securityOptions),
    auth: Type.Optional(authOptions),
    cors: Type.Optional(corsOptions),
    udp_heartbeat: Type.Boolean({
      default: false,
      description:
        'Answer the heartbeats that `heartbeat_type udp` of fluentd sends, on the UDP port of the same number.',
    }),
    tag_header: Type.String({
      default: 'fluent.tag',
      maxLength: 256,
      description: 'The record header that holds the tag; none when it is empty.',
    }),
    tag_field: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'A field of this name holds the tag, first in each record.',
      }),
    ),
    time_field: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description:
          'A field of this name holds the time of the event as RFC 3339 in UTC with nanoseconds. Timestamps of records have milliseconds.',
      }),
    ),
    invalid_text: Type.Union([Type.Literal('replace'), Type.Literal('base64')], {
      default: 'replace',
      description:
        'What becomes of text that is not UTF-8: its wrong bytes are replaced by U+FFFD, or all of it is written in base64.',
    }),
    max_message: size({
      default: '32MiB',
      minimum: '1KiB',
      maximum: '256MiB',
      description: 'How large a message may be as it is sent; a connection that sends a larger one is closed.',
    }),
    max_inflated_message: size({
      default: '128MiB',
      minimum: '1KiB',
      maximum: '512MiB',
      description:
        'How large the entries of a compressed message may become; beyond 1 MiB no more than 100 times what was sent.',
    }),
    max_in_flight: size({
      default: '256MiB',
      minimum: '1MiB',
      maximum: '4GiB',
      description:
        'Memory for messages that are not in the topic yet; when it is spent, nothing more is read. Not less than `max_message` and `max_inflated_message` together.',
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
    handshake_timeout: duration({
      default: '10s',
      minimum: '100ms',
      maximum: '10m',
      description: 'How long a client may take for its TLS handshake, and for that of `security`.',
    }),
    message_timeout: duration({
      default: '60s',
      minimum: '100ms',
      maximum: '1h',
      description:
        'How long a client may take for a message from its first byte to its last; then its connection is closed.',
    }),
    keep_alive: duration({
      default: '30m',
      minimum: '100ms',
      maximum: '7d',
      description: 'How long a connection without a message is kept.',
    }),
  },
  { additionalProperties: false },
);

export type SourceOptions = Static<typeof sourceOptions>;
