import { sinkDefinition } from '../../../connectors/elasticsearch/index.ts';
import type { Json } from '../../../src/api/index.ts';
import { unresolvedOptions } from './support/sink.ts';

const problems = (written: Record<string, Json>): string[] =>
  sinkDefinition.validate!(unresolvedOptions(written)).map(({ path, message }) => `${path.join('.')}: ${message}`);

test('what goes together has no problems', () => {
  expect(problems({})).toEqual([]);
  expect(problems({ index: "access-{{ formatTime(timestamp, 'yyyy.MM.dd') }}-x" })).toEqual([]);
  expect(problems({ mode: 'keyed', version: 'value.revision' })).toEqual([]);
  expect(problems({ index: '${env:INDEX}', auth: { api_key: '${env:KEY}' }, headers: { 'X-Tenant': 'a' } })).toEqual(
    [],
  );
  const tls = { ca: 'ca.crt', cert: 'c', key: 'k' };
  expect(problems({ endpoints: ['http://a:1', 'https://b:1'], tls })).toEqual([]);
});

test.each<[Record<string, Json>, string]>([
  [
    { index: 'Access-{{ key }}' },
    'index: index names take no "A": lower-case letters, digits, "-", "_" and "." are safe',
  ],
  [{ index: 'a b' }, 'index: index names take no " ": lower-case letters, digits, "-", "_" and "." are safe'],
  [{ index: '_access' }, 'index: index names do not begin with "-", "_" or "+"'],
  [
    { mode: 'keyed', data_stream: true },
    'data_stream: data streams take new documents only, so `mode: keyed` cannot replace them; use an index',
  ],
  [{ version: 'timestamp' }, 'version: `version` is for `mode: keyed`; leave it out'],
  [{ endpoints: ['http://u:p@a:9200'] }, 'endpoints.0: addresses are printed, so they hold no credentials; use `auth`'],
  [{ auth: {} }, 'auth: `auth` takes one of `basic` and `api_key`'],
  [
    { auth: { api_key: 'x', basic: { username: 'u', password: 'p' } } },
    'auth: `auth` takes one of `basic` and `api_key`',
  ],
  [
    { headers: { Authorization: 'x' } },
    'headers.Authorization: the header `Authorization` is set by the sink itself; use `auth`',
  ],
  [{ tls: {} }, 'tls: `tls` has no effect: no endpoint begins with `https:`'],
  [
    { endpoints: ['https://a:1'], tls: { cert: 'c' } },
    'tls.cert: `cert` needs `key` beside it: the private key of that certificate',
  ],
  [
    { endpoints: ['https://a:1'], tls: { ca: 'c', insecure_skip_verify: true } },
    'tls.insecure_skip_verify: `insecure_skip_verify` makes `ca` useless; leave one of them out',
  ],
])('%j is refused', (written, problem) => {
  expect(problems(written)).toEqual([problem]);
});

test('the plan says where the promise ends, for each way to use it', () => {
  const holes = (written: Record<string, Json>): readonly string[] => sinkDefinition.holes!(unresolvedOptions(written));
  expect(holes({})[0]).toContain('an alias that rolls over');
  expect(holes({ data_stream: true })[0]).toContain('after the data stream has rolled over');
  expect(holes({ mode: 'keyed' })[0]).toContain('versions are offsets');
  expect(holes({ mode: 'keyed', version: 'timestamp' })[0]).toContain('same version');
});

test('keyed writes keep their order, and with offsets as versions they hang on the topic', () => {
  const { needsOrder, tiedToTopic } = sinkDefinition;
  const traits = (written: Record<string, Json>): (boolean | undefined)[] => {
    const options = unresolvedOptions(written);
    return [needsOrder!(options), tiedToTopic!(options)];
  };
  expect(traits({})).toEqual([false, false]);
  expect(traits({ mode: 'keyed' })).toEqual([true, true]);
  expect(traits({ mode: 'keyed', version: 'timestamp' })).toEqual([true, false]);
  expect(traits({ mode: 'keyed', version: 'value.revision' })).toEqual([true, false]);
});
