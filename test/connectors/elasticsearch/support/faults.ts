import type { Json } from '../../../../src/api/index.ts';
import type { TestRecord } from '../../../../src/testing/batches.ts';
import { uniqueName } from '../../../support/servers.ts';
import { nodeDown, withExpiredCertificate } from '../../support/common-faults.ts';
import { httpAnswer, liveThrough, type Fault, type Outcome } from '../../support/live-through.ts';
import { Elasticsearch } from './elasticsearch.ts';
import { Proxy } from '../../support/proxy.ts';
import { definitions, sinkOptions, type System } from './sink.ts';

const good = Array.from({ length: 20 }, (_, n) => ({ value: JSON.stringify({ n }) }));
const later = Array.from({ length: 5 }, (_, n) => ({ value: JSON.stringify({ n: 100 + n }) }));
const idOf = (offset: number): string => `in+AAAAAAAA+0+${offset}`;

/** What each search system shall live through, on a real server behind a proxy: nothing lost, the right dead letters, later records written, and the state says why. */
export function describeFaults(system: System, url: () => string): void {
  let server: Elasticsearch;
  let proxy: Proxy;
  let index: string;

  beforeEach(async () => {
    server = new Elasticsearch(url());
    proxy = await Proxy.start(url());
    index = uniqueName('faults');
  });

  afterEach(() => proxy.stop());

  function through(fault: Partial<Fault>, options: Record<string, Json> = {}): Promise<Outcome> {
    const written = { endpoints: [proxy.url], index, ...options };
    return liveThrough({
      create: (context) => definitions[system].create(sinkOptions(written, system), context),
      order: definitions[system].order,
      records: good,
      later,
      ...fault,
    });
  }

  /** Without these among `records` all of them, and what came later. */
  async function expectDocuments(records: readonly TestRecord[], without: readonly number[] = []): Promise<void> {
    const offsets = Array.from({ length: records.length + later.length }, (_, offset) => offset);
    const expected = offsets.filter((offset) => !without.includes(offset)).map(idOf);
    expect(Object.keys(await server.documents(index)).sort()).toEqual(expected.sort());
  }

  /** The fault hits every record alike: none becomes a dead letter, none is lost, none is there twice. */
  async function expectNothingLost(fault: Partial<Fault>, options: Record<string, Json> = {}): Promise<void> {
    expect(await through(fault, options)).toEqual({ deadLetters: {}, delivered: good.length + later.length });
    await expectDocuments(good);
  }

  const settings = (changed: object): Promise<unknown> => server.ask('PUT', `/${index}/_settings`, changed);

  test('mapping conflict, unknown field: each bad record alone is a dead letter', async () => {
    await server.ask('PUT', `/${index}`, { mappings: { dynamic: 'strict', properties: { n: { type: 'long' } } } });
    const records = good.with(3, { value: '{"n":"many"}' }).with(12, { value: '{"unknown":1}' });
    const { deadLetters } = await through({ records });
    expect(deadLetters).toEqual({
      3: expect.stringMatching(/^SINK_REJECTED .*_parsing_exception: .*\[n\]/) as string,
      12: expect.stringMatching(/^SINK_REJECTED .*strict_dynamic_mapping_exception: /) as string,
    });
    await expectDocuments(records, [3, 12]);
  });

  test('bad id: too long, or none', async () => {
    const keyed: TestRecord[] = good.map(({ value }, n) => ({ value, key: `k${n}` }));
    const records = keyed.with(4, { key: 'x'.repeat(513), value: '{}' }).with(5, { value: '{}' });
    const { deadLetters } = await through({ records, later: [{ key: 'later', value: '{}' }] }, { mode: 'keyed' });
    expect(deadLetters).toEqual({
      4: expect.stringMatching(/^SINK_REJECTED naming a document: .*512/) as string,
      5: expect.stringMatching(/^SINK_REJECTED naming a document: the record has no key/) as string,
    });
    expect(Object.keys(await server.documents(index))).toHaveLength(19);
  });

  test('a document of 10 MB: written where it may be, and a dead letter where not', async () => {
    const records = good.with(2, { value: JSON.stringify({ text: 'x'.repeat(10 * 1024 * 1024) }) });
    await server.ask('PUT', `/${index}`, { mappings: { properties: { text: { type: 'text', index: false } } } });
    const { deadLetters } = await through({ records });
    expect(deadLetters).toEqual({ 2: expect.stringMatching(/^RECORD_TOO_LARGE /) as string });
    await expectDocuments(records, [2]);
    expect(await through({ records, later: [] }, { max_request: '20MiB' })).toMatchObject({ deadLetters: {} });
    expect(await server.count(index)).toBe(25);
  });

  test('read-only index', async () => {
    await server.ask('PUT', `/${index}`);
    await settings({ 'index.blocks.write': true });
    await expectNothingLost({
      says: /^paused: .*cluster_block_exception.*lift the block/,
      ends: () => settings({ 'index.blocks.write': null }),
    });
  });

  test('disk full: what the flood stage does to an index', async () => {
    await server.ask('PUT', `/${index}`);
    await settings({ 'index.blocks.read_only_allow_delete': true });
    await expectNothingLost({
      says: /^degraded: .*cluster_block_exception.*(?:flood|read-only-allow-delete)/,
      ends: () => settings({ 'index.blocks.read_only_allow_delete': null }),
    });
  });

  test('leader lost: no primary shard', async () => {
    const nobody = 'index.routing.allocation.require._name';
    await server.ask('PUT', `/${index}?wait_for_active_shards=0`, { settings: { [nobody]: 'nobody' } });
    await expectNothingLost(
      { says: /^degraded: .*unavailable_shards_exception/, ends: () => settings({ [nobody]: null }) },
      { request_timeout: '1s' },
    );
  });

  test('node down', () => expectNothingLost(nodeDown(proxy)));

  test('alias flipped: the records go on where it points, and none is in between', async () => {
    const [before, after] = [`${index}-1`, `${index}-2`];
    for (const each of [before, after]) await server.ask('PUT', `/${each}`);
    const add = { add: { index: before, alias: index } };
    await server.ask('POST', '/_aliases', { actions: [add] });
    await settings({ 'index.blocks.write': true });
    const flip = { actions: [{ remove: { index: before, alias: index } }, { add: { index: after, alias: index } }] };
    await expectNothingLost(
      { says: /^paused: .*cluster_block_exception/, ends: () => server.ask('POST', '/_aliases', flip) },
      { require_alias: true },
    );
    expect(await server.count(after)).toBe(good.length + later.length);
  });

  test('answers that are lost after the server did what it was asked', async () => {
    proxy.swallows = 3;
    await expectNothingLost({});
    expect(proxy.swallowed).toBe(3);
  });

  const refused = (status: number, type: string): string => JSON.stringify({ error: { type, reason: 'no' }, status });
  const answer = (status: string, body: string, headers: Readonly<Record<string, string>> = {}): string =>
    httpAnswer(status, body, { 'X-Elastic-Product': 'Elasticsearch', ...headers });
  const soon = { 'Retry-After': '30' };

  test.each([
    [
      'half an answer',
      answer('200 OK', '{"items":[{"create"', { 'Content-Length': '900' }),
      /the connection was closed/,
    ],
    ['a wrong count', answer('200 OK', '{"items":[{"create":{"status":201}}]}'), /does not speak of 10 items/],
    ['429', answer('429 Too Many Requests', refused(429, 'es_rejected_execution_exception'), soon), /es_rejected_exec/],
    ['503', answer('503 Service Unavailable', '<html>', soon), /HTTP 503/],
  ])('%s, while the server did what it was asked', async (_what, lie, says) => {
    proxy.lies.push(lie);
    await expectNothingLost({ says: new RegExp(`^degraded: .*${says.source}`) });
  });

  test.each([
    ['a redirect', answer('307 Temporary Redirect', '', { Location: 'http://127.0.0.1:9/' }), /HTTP 307/],
    ['wrong credentials', answer('401 Unauthorized', refused(401, 'security_exception')), /HTTP 401 .*check `auth`/],
    ['a missing right', answer('403 Forbidden', refused(403, 'security_exception')), /HTTP 403 .*the right to write/],
  ])('%s: it waits for an operator, and goes on by itself when it works', async (_what, lie, says) => {
    proxy.lies.push(lie);
    await expectNothingLost({ says: new RegExp(`^paused: .*${says.source}`) });
  });

  test('a certificate that has expired, and is renewed', () =>
    withExpiredCertificate(url(), ({ url: secured, ca, fault }) =>
      expectNothingLost(fault, { endpoints: [secured], tls: { ca } }),
    ));
}
