import { sinkDefinition } from '../../../../connectors/elasticsearch/index.ts';
import type { SinkOptions } from '../../../../connectors/elasticsearch/options.ts';
import type { Clock, Json } from '../../../../src/api/index.ts';
import { convertOptions, previewOptions } from '../../../../src/config/convert.ts';
import { createSinkHarness, type SinkHarness } from '../../../../src/testing/index.ts';

const context = { baseDir: '/', references: { env: [], file: [] }, env: {} };

/** Options as `create` gets them, from what stands in YAML. */
export function sinkOptions(written: Record<string, Json>): SinkOptions {
  return convertOptions(
    sinkDefinition,
    { index: 'test', endpoints: ['http://127.0.0.1:9'], ...written },
    context,
  ) as SinkOptions;
}

/** As `validate` and `holes` get them. */
export function unresolvedOptions(written: Record<string, Json>): SinkOptions {
  return previewOptions(
    sinkDefinition,
    { index: 'test', endpoints: ['http://127.0.0.1:9'], ...written },
    '/',
  ) as SinkOptions;
}

/** A sink as a pipeline creates it. `start()` begins its life. */
export function sinkHarness(
  written: Record<string, Json>,
  options: { partitions?: number; topic?: string; incarnation?: string; clock?: Clock } = {},
): SinkHarness {
  return createSinkHarness({
    ...options,
    create: (sinkContext) => sinkDefinition.create(sinkOptions(written), sinkContext),
  });
}
