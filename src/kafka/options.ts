import { duration, secret, Type, type Static, type TObject } from '../api/index.ts';
import { clientTlsOptions } from '../toolkit/index.ts';

const closed = { additionalProperties: false };

const tls = Type.Union([Type.Boolean(), clientTlsOptions], {
  default: false,
  description: 'Talk TLS to the brokers, 1.2 at least.',
});

const sasl = Type.Object(
  {
    mechanism: Type.Union(
      [
        Type.Literal('plain'),
        Type.Literal('scram-sha-256'),
        Type.Literal('scram-sha-512'),
        Type.Literal('oauthbearer'),
      ],
      { description: 'How the client proves who it is.' },
    ),
    username: Type.Optional(Type.String({ minLength: 1, description: 'For `plain` and `scram-…`.' })),
    password: Type.Optional(secret({ description: 'For `plain` and `scram-…`.' })),
    token: Type.Optional(secret({ description: 'For `oauthbearer`: a token that somebody else renews.' })),
    oauth: Type.Optional(
      Type.Object(
        {
          token_endpoint: Type.String({
            pattern: '^https?://',
            description: 'Where tokens are asked for.',
            examples: ['https://login.example.com/token'],
          }),
          client_id: Type.String({ minLength: 1, description: 'The name of this client there.' }),
          client_secret: secret({ description: 'Its secret.' }),
          scope: Type.Optional(Type.String({ minLength: 1, description: 'What the token shall allow.' })),
        },
        { ...closed, description: 'For `oauthbearer`: tokens by client credentials, renewed before they expire.' },
      ),
    ),
    insecure_without_tls: Type.Boolean({
      default: false,
      description: 'Send a password or token without TLS. A warning says so every minute.',
    }),
  },
  { ...closed, description: 'Credentials.' },
);

const client = Type.Object(
  {
    id: Type.String({ default: 'sluice', minLength: 1, description: 'The client id that brokers log and limit by.' }),
    connect_timeout: duration({ default: '10s', minimum: '100ms', maximum: '5m', description: 'For one connection.' }),
    request_timeout: duration({ default: '30s', minimum: '1s', maximum: '10m', description: 'For one request.' }),
    session_timeout: duration({
      default: '8s',
      minimum: '1s',
      maximum: '30m',
      description: 'A member of a classic group that is silent for so long loses its partitions to the others.',
    }),
    heartbeat_interval: duration({
      default: '2s',
      minimum: '100ms',
      maximum: '5m',
      description: 'How often a member of a classic group says that it lives.',
    }),
    transaction_timeout: duration({
      default: '1m',
      minimum: '5s',
      maximum: '15m',
      description:
        'The brokers abort a transaction of an exactly-once source that lasts longer. Not above their `transaction.max.timeout.ms`.',
    }),
    group_protocol: Type.Union([Type.Literal('classic'), Type.Literal('consumer')], {
      default: 'classic',
      description: '`consumer` is the protocol of KIP-848, for brokers from 4.0 on, which set the session time-out.',
    }),
  },
  { ...closed, default: {}, description: 'How the client behaves.' },
);

/** The one place where the settings of a Kafka client are named: part of the hub file and of the Kafka connectors. */
export const kafkaOptions = {
  brokers: Type.Array(
    Type.String({ pattern: '^(\\[[0-9a-fA-F:]+\\]|[^:/\\s]+):[0-9]{1,5}$', examples: ['kafka-1:9092'] }),
    {
      minItems: 1,
      description: 'Some of the brokers, as `host:port`; they name the others.',
      examples: [['kafka-1:9092', 'kafka-2:9092']],
    },
  ),
  tls,
  sasl: Type.Optional(sasl),
  client,
  driver: Type.Union([Type.Literal('native'), Type.Literal('kafkajs')], {
    default: 'native',
    description:
      '`kafkajs` is for brokers older than 2.0: slower, without transactions and static members; what it sends again after a lost answer is written twice.',
  }),
};

/** The settings as a client takes them: converted, references resolved, defaults filled. */
export type KafkaSettings = Static<TObject<typeof kafkaOptions>>;
