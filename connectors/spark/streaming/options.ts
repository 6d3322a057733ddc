import { duration, path, Type, type Static } from 'sluice/api';

export const streamingOptions = Type.Object(
  {
    checkpoint: path({
      description: 'The checkpoint folder of the query (`checkpointLocation`), as this machine sees it.',
      examples: ['/mnt/spark/checkpoints/orders'],
    }),
    stalled_after: duration({
      default: '10m',
      minimum: '1s',
      maximum: '7d',
      description: 'The pipeline is degraded when records wait and the query has committed nothing for so long.',
    }),
    poll_interval: duration({
      default: '5s',
      minimum: '100ms',
      maximum: '10m',
      description: 'How often the topic and the folder are looked at.',
    }),
  },
  { additionalProperties: false },
);

export type StreamingOptions = Static<typeof streamingOptions>;
