import { Refusal } from 'sluice/toolkit';
import type { FormatRequest } from '../format.ts';
import type { Operation } from './action-lines.ts';

/** Where the documents of a request go. */
export interface Target {
  readonly index: string | null;
  readonly id: string | null;
  /** Null: a bulk request says it for each. */
  readonly operation: Operation | null;
}

/** Of a path, decoded; none for an empty one. Throws 400. */
export function namesOf(path: string): string[] {
  try {
    return path
      .split('/')
      .map(decodeURIComponent)
      .filter((name) => name !== '');
  } catch (error) {
    throw new Refusal(400, `the path ${JSON.stringify(path)} is not percent-encoded UTF-8`, { cause: error });
  }
}

/** Null for requests without documents. */
export function targetOf({ method, query }: FormatRequest, names: readonly string[]): Target | null {
  const writes = method === 'POST' || method === 'PUT';
  if (names.at(-1) === '_bulk') return writes ? bulkTarget(names) : null;
  const [index = '', endpoint, id = null, ...rest] = names;
  if (index === '' || index.startsWith('_') || rest.length > 0) return null;
  switch (endpoint) {
    case '_doc':
      if (method === 'DELETE') return id === null ? null : { index, id, operation: 'delete' };
      return writes
        ? { index, id, operation: new URLSearchParams(query).get('op_type') === 'create' ? 'create' : 'index' }
        : null;
    case '_create':
      return writes && id !== null ? { index, id, operation: 'create' } : null;
    case '_update':
      return method === 'POST' && id !== null ? { index, id, operation: 'update' } : null;
    default:
      return null;
  }
}

/** `/_bulk`, `/{index}/_bulk`, and with the type that version 6 had between. */
function bulkTarget(names: readonly string[]): Target | null {
  if (names.length > 3) return null;
  return { index: names.length === 1 ? null : names[0]!, id: null, operation: null };
}
