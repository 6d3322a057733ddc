import { openSearchDefinition, sinkDefinition } from '../../../../connectors/elasticsearch/index.ts';
import type { SinkOptions } from '../../../../connectors/elasticsearch/options.ts';
import type { Clock, Json, OutboundRules } from '../../../../src/api/index.ts';
import { convertOptions, previewOptions } from '../../../../src/config/convert.ts';
import { createSinkHarness, type SinkHarness } from '../../../../src/testing/index.ts';

/** Both take the same options, as far as tests go. */
export const definitions = {
  elasticsearch: sinkDefinition,
  opensearch: openSearchDefinition as unknown as typeof sinkDefinition,
};
export type System = keyof typeof definitions;

const context = { baseDir: '/', references: { env: [], file: [] }, env: {} };

/** Options as `create` gets them, from what stands in YAML. */
export function sinkOptions(written: Record<string, Json>, system: System = 'elasticsearch'): SinkOptions {
  return convertOptions(
    definitions[system],
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

interface HarnessOptions {
  readonly system?: System;
  readonly partitions?: number;
  readonly topic?: string;
  readonly incarnation?: string;
  readonly clock?: Clock;
  readonly outbound?: OutboundRules;
}

/** A sink as a pipeline creates it. `start()` begins its life. */
export function sinkHarness(
  written: Record<string, Json>,
  { system = 'elasticsearch', ...options }: HarnessOptions = {},
): SinkHarness {
  return createSinkHarness({
    ...options,
    create: (sinkContext) => definitions[system].create(sinkOptions(written, system), sinkContext),
  });
}
