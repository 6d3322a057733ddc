import { sinkDefinition } from '../../../../connectors/solr/index.ts';
import type { Json } from '../../../../src/api/index.ts';
import type { TestRecord } from '../../../../src/testing/batches.ts';
import { uniqueName } from '../../../support/servers.ts';
import { nodeDown, withExpiredCertificate } from '../../support/common-faults.ts';
import { httpAnswer, liveThrough, type Fault, type Outcome } from '../../support/live-through.ts';
import { Proxy } from '../../support/proxy.ts';
import { refusal } from './fake-solr.ts';
import { sinkOptions } from './sink.ts';
import { RealSolr } from './solr.ts';

const good = Array.from({ length: 20 }, (_, n) => ({ value: JSON.stringify({ amount: n }) }));
const later = Array.from({ length: 5 }, (_, n) => ({ value: JSON.stringify({ amount: 100 + n }) }));
const idOf = (offset: number): string => `in+AAAAAAAA+0+${offset}`;

/** What a core shall live through, on a real server behind a proxy: nothing lost, the right dead letters, later records written, and the state says why. */
export function describeFaults(url: () => string): void {
  let solr: RealSolr;
  let proxy: Proxy;
  let core: string;

  beforeEach(async () => {
    solr = new RealSolr(url());
    proxy = await Proxy.start(url());
    core = uniqueName('faults');
    await solr.createCore(core);
  });

  afterEach(() => proxy.stop());

  function through(fault: Partial<Fault>, options: Record<string, Json> = {}): Promise<Outcome> {
    const written = { endpoints: [`${proxy.url}/solr`], core, ...options };
    return liveThrough({
      create: (context) => sinkDefinition.create(sinkOptions(written), context),
      order: sinkDefinition.order,
      records: good,
      later,
      ...fault,
    });
  }

  /** Without these among `records` all of them, and what came later. */
  async function expectDocuments(records: readonly TestRecord[], without: readonly number[] = []): Promise<void> {
    const offsets = Array.from({ length: records.length + later.length }, (_, offset) => offset);
    const expected = offsets.filter((offset) => !without.includes(offset)).map(idOf);
    expect(await solr.count(core)).toBe(expected.length);
    expect(Object.keys(await solr.documents(core, offsets.map(idOf))).sort()).toEqual(expected.sort());
  }

  /** The fault hits every record alike: none becomes a dead letter, none is lost, none is there twice. */
  async function expectNothingLost(fault: Partial<Fault>, options: Record<string, Json> = {}): Promise<void> {
    expect(await through(fault, options)).toEqual({ deadLetters: {}, delivered: good.length + later.length });
    await expectDocuments(good);
  }

  test('mapping conflict, unknown field, bad id: each bad record alone is a dead letter', async () => {
    const records = good
      .with(3, { value: '{"amount":"many"}' })
      .with(8, { value: '{"id":"somebody else"}' })
      .with(12, { value: '{"nosuch":1}' });
    const { deadLetters } = await through({ records });
    expect(deadLetters).toEqual({
      3: expect.stringMatching(/^SINK_REJECTED .*\[doc=in\+AAAAAAAA\+0\+3\] Error adding field 'amount'/) as string,
      8: expect.stringMatching(/^SINK_REJECTED .*id/) as string,
      12: expect.stringMatching(/^SINK_REJECTED .*unknown field 'nosuch'/) as string,
    });
    await expectDocuments(records, [3, 8, 12]);
  });

  test('a document of 10 MB, alone in its request', async () => {
    const records = good.with(2, { value: JSON.stringify({ body: 'word '.repeat(2 * 1024 * 1024) }) });
    expect(await through({ records }, { max_request: '1MiB' })).toEqual({ deadLetters: {}, delivered: 25 });
    await expectDocuments(records);
  });

  test('node down', () => expectNothingLost(nodeDown(proxy)));

  test('answers that are lost after the server did what it was asked', async () => {
    proxy.swallows = 4;
    await expectNothingLost({});
    expect(proxy.swallowed).toBe(4);
  });

  const soon = { 'Retry-After': '30' };
  const few = JSON.stringify({ responseHeader: { status: 0 }, adds: ['x', 1] });

  test.each([
    [
      'half an answer',
      httpAnswer('200 OK', few.slice(0, 40), { 'Content-Length': '900' }),
      /the connection was closed/,
    ],
    ['a wrong count', httpAnswer('200 OK', few), /it confirms 1 of 10 documents/],
    ['a page instead of an answer', httpAnswer('200 OK', '<html>ok</html>'), /the answer is none to an update/],
    ['full queue', httpAnswer('429 Too Many Requests', refusal(429, 'overloaded'), soon), /HTTP 429 overloaded/],
    [
      'a leader that is away',
      httpAnswer('503 Service Unavailable', refusal(503, 'No registered leader'), soon),
      /No registered/,
    ],
    ['disk full', httpAnswer('500 Server Error', refusal(500, 'No space left on device')), /No space left on device/],
  ])('%s, while the server did what it was asked', async (_what, lie, says) => {
    proxy.lieTo('/update?', lie);
    await expectNothingLost({ says: new RegExp(`^degraded: .*${says.source}`) });
  });

  test.each([
    [
      'a redirect',
      httpAnswer('307 Temporary Redirect', '', { Location: 'http://127.0.0.1:9/' }),
      /HTTP 307, a redirect/,
    ],
    ['read-only', httpAnswer('403 Forbidden', refusal(403, 'Collection c is read-only.')), /HTTP 403 .*is read-only/],
  ])('%s: it waits for an operator, and goes on by itself when it works', async (_what, lie, says) => {
    proxy.lieTo('/update?', lie);
    await expectNothingLost({ says: new RegExp(`^paused: .*${says.source}`) });
  });

  test('a certificate that has expired, and is renewed', () =>
    withExpiredCertificate(url(), ({ url: secured, ca, fault }) =>
      expectNothingLost(fault, { endpoints: [`${secured}/solr`], tls: { ca } }),
    ));
}
