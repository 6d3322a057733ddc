import { sinkDefinition } from '../../../connectors/solr/index.ts';
import type { Json } from '../../../src/api/index.ts';
import { unresolvedOptions } from './support/sink.ts';

const problems = (written: Record<string, Json>): string[] =>
  sinkDefinition.validate!(unresolvedOptions(written)).map(({ path, message }) => `${path.join('.')}: ${message}`);

test('what goes together', () => {
  expect(problems({})).toEqual([]);
  expect(problems({ collection: 'orders', min_replicas: 2, routing: 'endpoints' })).toEqual([]);
  expect(problems({ core: 'a', request_timeout: '5m' })).toEqual([]);
});

test.each<[Record<string, Json>, string]>([
  [{ core: 'a', collection: 'b' }, 'collection: give one of'],
  [{ collection: 'a', request_timeout: '20s' }, 'request_timeout: nodes of a cloud'],
  [{ min_replicas: 2 }, 'min_replicas: '],
  [{ routing: 'endpoints' }, 'routing: '],
  [{ operators: ['inc'] }, 'operators: '],
  [{ mode: 'update', nested: 'children' }, 'nested: '],
  [{ on_conflict: 'reject' }, 'on_conflict: '],
  [{ create_fields: true }, 'create_fields: there are no fields'],
  [{ version_field: 'v' }, 'version_field: '],
  [{ delete_version_param: 'v' }, 'delete_version_param: '],
  [{ version: 'offset', version_field: 'v', delete_version_param: 'p' }, 'version: `version` is for `mode: keyed`'],
  [{ mode: 'keyed', version: 'offset', delete_version_param: 'p' }, 'version: `version` needs `version_field`'],
  [{ mode: 'keyed', version: 'offset', version_field: 'v' }, 'version: `version` needs `delete_version_param`'],
  [{ mode: 'keyed', version: 'offset', version_field: 'v', delete_version_param: 'p', only_if: 'absent' }, 'only_if: '],
  [{ auth: {} }, 'auth: `auth` takes one of'],
  [{ tls: {} }, 'tls: `tls` has no effect'],
  [{ endpoints: ['http://ada:secret@solr/solr'] }, 'endpoints.0: addresses are printed'],
  [{ headers: { Authorization: 'x' } }, 'headers.Authorization: the header'],
])('%j: %s', (written, says) => {
  expect(problems(written)).toEqual([expect.stringContaining(says)]);
});

test('what the promise leaves open is named', () => {
  const holes = (written: Record<string, Json>): string => sinkDefinition.holes!(unresolvedOptions(written)).join('; ');
  expect(holes({ commit: 'hard' })).toBe('');
  expect(holes({})).toContain('not synced to disk');
  expect(holes({ collection: 'a', routing: 'endpoints', commit: 'hard' })).toBe('');
  expect(holes({ mode: 'update', operators: ['inc'] })).toContain('once more');
  expect(holes({ mode: 'keyed' })).toContain('older record');
});
