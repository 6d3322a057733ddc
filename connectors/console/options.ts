import { Type } from 'sluice/api';

export const sinkOptions = Type.Object(
  {
    format: Type.Union([Type.Literal('pretty'), Type.Literal('ndjson')], {
      default: 'pretty',
      description:
        '`pretty` prints time, partition and offset, key and value of a record in one line. `ndjson` prints a JSON object a line, for other programs.',
    }),
    max_per_second: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description:
          'Prints no more than so many records a second and counts the others; everything when it is not set.',
      }),
    ),
  },
  { additionalProperties: false },
);
