import { duration, listenAddress, path, size, Type } from '../api/index.ts';
import { kafkaOptions } from '../kafka/index.ts';
import { NAME_PATTERN } from './names.ts';
import { networkPattern } from '../toolkit/index.ts';
import { DEFAULT_OUTBOUND } from './outbound.ts';
import { DEFAULT_REFERENCES } from './references.ts';

const DEFAULT_PIPELINES = ['pipelines/*.yaml'];

const closed = { additionalProperties: false };
const address = Type.String({ pattern: networkPattern, description: 'An IP address, or a range such as 10.0.0.0/8.' });

/** The hub file, `sluice.yaml`: the one place where its keys are named, typed, described and defaulted. */
export const hubFileOptions = Type.Object(
  {
    kafka: Type.Union([Type.Literal('embedded'), Type.Object(kafkaOptions, closed)], {
      default: 'embedded',
      description:
        'Where topics live: `embedded` keeps them in `data_dir`, nothing has to be installed; or the cluster that these options reach. They may hold references to any variable and file.',
      examples: ['embedded', { brokers: ['kafka-1:9092', 'kafka-2:9092'] }],
    }),
    data_dir: path({
      default: '.sluice',
      description: 'The folder of topics, checkpoints and offsets. It belongs to one hub at a time.',
    }),
    pipelines: Type.Array(Type.String({ minLength: 1 }), {
      default: DEFAULT_PIPELINES,
      description: 'Files of pipelines, or patterns of them, relative to the hub file.',
      examples: [['pipelines/*.yaml'], ['web.yaml', 'teams/*/sluice/*.yaml']],
    }),
    api: Type.Union(
      [
        Type.Literal('off'),
        Type.Object(
          {
            listen: listenAddress({
              default: '127.0.0.1:8686',
              description:
                'Where health, status and metrics are served. Beyond this machine only to who has the token.',
              examples: ['127.0.0.1:8686', ':0', '0.0.0.0:8686'],
            }),
          },
          closed,
        ),
      ],
      { default: {}, description: 'Health, status and metrics over HTTP, or `off`.' },
    ),
    group: Type.String({
      pattern: NAME_PATTERN,
      default: 'default',
      description: 'Part of all identities (consumer groups, checkpoints). Another group starts anew.',
    }),
    host: Type.Optional(
      Type.String({
        pattern: NAME_PATTERN,
        description: 'The id of this hub, instead of the one that is made once in `data_dir`.',
      }),
    ),
    workers: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 256,
        description: 'Threads that pipelines share. As many as there are processor cores when it is not set.',
      }),
    ),
    buffer_size: size({
      default: '48MiB',
      minimum: '8MiB',
      maximum: '16GiB',
      description: 'Record buffers of one worker, shared by its pipelines. When they are full, sources wait.',
    }),
    listener_memory: size({
      default: '256MiB',
      minimum: '1MiB',
      maximum: '1TiB',
      description:
        'What the listeners of a worker may hold together of input that is not in the topic yet, below the `max_in_flight` of each. When it is spent, clients wait or are told to come back.',
    }),
    worker_memory: size({
      default: '512MiB',
      minimum: '128MiB',
      maximum: '1TiB',
      description: 'A worker that takes more memory than this is ended, and its pipelines are started again.',
    }),
    watchdog: duration({
      default: '10s',
      minimum: '1s',
      maximum: '1h',
      description: 'A worker whose event loop stands still for so long is ended, and its pipelines are started again.',
    }),
    drain_timeout: duration({
      default: '30s',
      minimum: '1s',
      maximum: '1h',
      description:
        'A stop waits so long for the records in flight. What was not delivered by then is at the next start.',
    }),
    references: Type.Object(
      {
        env: Type.Array(Type.String({ pattern: '^[A-Za-z0-9_*]+$' }), {
          default: [...DEFAULT_REFERENCES.env],
          description: 'Environment variables that pipelines may refer to as `${env:NAME}`, `*` stands for anything.',
          examples: [['SLUICE_*', 'ORDERS_TOKEN']],
        }),
        file: Type.Array(path({ description: 'A folder.' }), {
          default: [...DEFAULT_REFERENCES.file],
          description: 'Folders with files that pipelines may refer to as `${file:/run/secrets/x}`.',
        }),
      },
      {
        ...closed,
        default: {},
        description: 'What pipeline files may refer to. A pipeline reads neither variables nor files outside of it.',
      },
    ),
    outbound: Type.Object(
      {
        deny: Type.Array(address, {
          default: [...DEFAULT_OUTBOUND.deny],
          description:
            'Addresses, and ranges of them, that no connector may connect to over HTTP, whatever name leads there. By default those where clouds serve credentials to their machines.',
          examples: [
            ['169.254.0.0/16', '10.0.0.0/8'],
            ['0.0.0.0/0', '::/0'],
          ],
        }),
        allow: Type.Array(address, {
          default: [],
          description: 'Those that may be connected to although `deny` names them.',
          examples: [['10.1.2.0/24', '10.9.9.9']],
        }),
      },
      {
        ...closed,
        default: {},
        description:
          'Where connectors may connect to. Names are resolved once, and what is connected to is the address that was checked.',
      },
    ),
  },
  { ...closed, title: 'Hub file of Sluice', description: 'The settings of a hub, in `sluice.yaml`.' },
);
