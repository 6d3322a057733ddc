import { PlainFormat } from './plain.ts';
import type { RouteFormat } from './format.ts';

/** What `format` may say. */
export type FormatName = 'auto' | 'json' | 'ndjson' | 'text';

export function createFormat(name: FormatName): RouteFormat {
  return new PlainFormat(name);
}
