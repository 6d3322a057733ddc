import { sinkDefinition } from '../../../../connectors/solr/index.ts';
import type { SinkOptions } from '../../../../connectors/solr/options.ts';
import type { Clock, Json, OutboundRules } from '../../../../src/api/index.ts';
import { convertOptions, previewOptions } from '../../../../src/config/convert.ts';
import { createSinkHarness, type SinkHarness } from '../../../../src/testing/index.ts';

const context = { baseDir: '/', references: { env: [], file: [] }, env: {} };
const defaults = { endpoints: ['http://127.0.0.1:9/solr'] };

/** Options as `create` gets them, from what stands in YAML. */
export function sinkOptions(written: Record<string, Json>): SinkOptions {
  return convertOptions(sinkDefinition, withPlace(written), context) as SinkOptions;
}

/** As `validate` and `holes` get them. */
export function unresolvedOptions(written: Record<string, Json>): SinkOptions {
  return previewOptions(sinkDefinition, withPlace(written), '/') as SinkOptions;
}

/** A sink as a pipeline creates it. `start()` begins its life. */
export function sinkHarness(
  written: Record<string, Json>,
  options: {
    partitions?: number;
    topic?: string;
    incarnation?: string;
    clock?: Clock;
    outbound?: OutboundRules;
  } = {},
): SinkHarness {
  return createSinkHarness({
    ...options,
    create: (sinkContext) => sinkDefinition.create(sinkOptions(written), sinkContext),
  });
}

function withPlace(written: Record<string, Json>): Record<string, Json> {
  const place = 'core' in written || 'collection' in written ? {} : { core: 'orders' };
  return { ...defaults, ...place, ...written };
}
