import { size, Type, type Static } from 'sluice/api';

/** What every value takes beside its message, at the longest number. */
const SMALLEST_VALUE_BYTES = 128;

export const sourceOptions = Type.Object(
  {
    count: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Ends after so many records, counted over all runs; goes on for ever when it is not set.',
      }),
    ),
    rate: Type.Optional(
      Type.Number({
        minimum: 0.001,
        maximum: 100_000_000,
        description: 'Records per second, evenly; as fast as they are taken when it is not set.',
      }),
    ),
    size: size({
      default: '200B',
      minimum: `${SMALLEST_VALUE_BYTES}B`,
      maximum: '64MiB',
      description: "Bytes of each value: the message is as long as that takes. No more than the topic's record limit.",
    }),
    seed: Type.Integer({
      default: 1,
      minimum: 0,
      maximum: 0xffffffff,
      description: 'Other seeds give other records; the same seed always gives the same.',
    }),
    streams: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 10_000,
      description:
        'Emits take turns among so many streams, as if they came from so many files: with `partition_by: source` each stream stays in one partition.',
    }),
  },
  { additionalProperties: false },
);

export type SourceOptions = Static<typeof sourceOptions>;
