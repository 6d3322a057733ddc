import { Type } from 'sluice/api';

export const cloudEventsOptions = Type.Object(
  {
    structured: Type.Union([Type.Literal('unfold'), Type.Literal('keep')], {
      default: 'unfold',
      description:
        'What becomes of events that are one JSON object. `unfold`: as in binary mode, the data is the value and attributes are headers. `keep`: the object is the value.',
    }),
  },
  { default: {}, additionalProperties: false, description: 'For `format: cloudevents`.' },
);

export const elasticsearchOptions = Type.Object(
  {
    version: Type.String({
      default: '8.19.2',
      pattern: '^\\d{1,2}\\.\\d{1,3}\\.\\d{1,3}$',
      description: 'The version that clients are told. Beats and Logstash refuse a server that is older than they are.',
    }),
  },
  { default: {}, additionalProperties: false, description: 'For `format: elasticsearch_bulk`.' },
);
