import { endpointsOf } from '../../../connectors/elasticsearch/cloud-id.ts';
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
    'data_stream: data streams take new documents only, so `mode: keyed` cannot change them; use an index',
  ],
  [{ version: 'timestamp' }, 'version: `version` is for `mode: keyed`; leave it out'],
  [{ endpoints: ['http://u:p@a:9200'] }, 'endpoints.0: addresses are printed, so they hold no credentials; use `auth`'],
  [{ auth: {} }, 'auth: `auth` takes one kind of credentials, and has 0'],
  [
    { auth: { api_key: 'x', basic: { username: 'u', password: 'p' } } },
    'auth: `auth` takes one kind of credentials, and has 2',
  ],
  [
    { headers: { Authorization: 'x' } },
    'headers.Authorization: the header `Authorization` is set by the sink itself; use `auth`',
  ],
  [
    { mode: 'update', data_stream: true },
    'data_stream: data streams take new documents only, so `mode: update` cannot change them; use an index',
  ],
  [
    { mode: 'update', update: { script: 'a', script_id: 'b' } },
    'update.script_id: `update` takes one of `script` and `script_id`',
  ],
  [{ update: { script: 'a' } }, 'update: `update` is for `mode: update`; leave it out'],
  [{ cloud_id: 'x:y' }, 'endpoints: say where the cluster is: `endpoints`, or `cloud_id`'],
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

test('a cloud id names the endpoint', () => {
  const id = (text: string): string => `deployment:${Buffer.from(text).toString('base64')}`;
  const endpoint = (text: string): readonly string[] => endpointsOf({ cloud_id: id(text) });
  expect(endpoint('eu.cloud.example$abc123$kib')).toEqual(['https://abc123.eu.cloud.example:443']);
  expect(endpoint('eu.cloud.example:9243$abc123$kib')).toEqual(['https://abc123.eu.cloud.example:9243']);
  expect(endpoint('eu.cloud.example$abc123:9244$')).toEqual(['https://abc123.eu.cloud.example:9244']);
  for (const wrong of ['', 'host', '$$', 'a/b$c'])
    expect(() => endpoint(wrong)).toThrow('reading `cloud_id`: it is none; copy it from the console of Elastic Cloud');
});
