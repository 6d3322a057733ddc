import type { ServerResponse } from 'node:http';
import type { Json, WriteResult } from '../../../src/api/index.ts';
import type { SinkHarness } from '../../../src/testing/index.ts';
import { ManualClock } from '../../../src/testing/index.ts';
import type { TestRecord } from '../../../src/testing/batches.ts';
import { FakeSolr, refusal, taken, type Update } from './support/fake-solr.ts';
import { sinkHarness } from './support/sink.ts';

jest.setTimeout(30_000);

const idOf = (offset: number): string => `lines+AAAAAAAA+0+${offset}`;
const threeRecords = ['{"n":1}', '{"n":2}', '{"n":3}'];

let solr: FakeSolr;
let harness: SinkHarness | null = null;

beforeEach(async () => {
  solr = await FakeSolr.start();
});
afterEach(async () => {
  await end();
  await solr.stop();
});

async function end(): Promise<void> {
  await harness?.stop();
  harness = null;
}

async function write(
  options: Record<string, Json> = {},
  records: readonly (string | TestRecord)[] = threeRecords,
): Promise<WriteResult> {
  await end();
  harness = sinkHarness({ endpoints: [solr.url], ...options });
  harness.append(0, [...records]);
  await harness.start();
  return (await harness.write())!;
}

/** `disposition message`, of the batch or of each record that was refused, by its index. */
function failures(result: WriteResult): string | Record<number, string> {
  if ('batch' in result) return `${result.batch.disposition} ${result.batch.error.message}`;
  const said = result.failures.map(({ index, disposition, error }) => [index, `${disposition} ${error.message}`]);
  return Object.fromEntries(said) as Record<number, string>;
}

const everyRecord = (says: string | RegExp): object => {
  const expected =
    typeof says === 'string' ? (expect.stringContaining(says) as string) : (expect.stringMatching(says) as string);
  return { 0: expected, 1: expected, 2: expected };
};

test('one request of documents, and how it is asked for', async () => {
  expect(
    failures(await write({ commit_within: '2s', auth: { bearer: 'token' }, headers: { 'x-tenant': 'a' } })),
  ).toEqual({});
  const [update] = solr.updates as [Update];
  expect(update.body).toBe(
    threeRecords
      .map((value, n) => `{"id":"${idOf(n)}",${value.slice(1)}`)
      .join(',')
      .replace(/^.*$/s, '[$&]'),
  );
  expect(Object.fromEntries(update.query)).toEqual({
    wt: 'json',
    'json.nl': 'flat',
    indent: 'off',
    versions: 'true',
    commitWithin: '2000',
  });
  expect(update).toMatchObject({
    path: '/solr/orders/update',
    headers: { 'content-type': 'application/json', authorization: 'Bearer token', 'x-tenant': 'a' },
  });
  expect(harness!.status).toBe('3 written');
});

test.each([
  ['soft', { softCommit: 'true' }],
  ['hard', { commit: 'true' }],
])('a %s commit with each request', async (commit, query) => {
  await write({ commit });
  expect(Object.fromEntries(solr.updates[0]!.query)).toMatchObject(query);
});

describe('an answer that proves nothing is none: the records go again', () => {
  test.each<[string, (update: Update, response: ServerResponse) => void, string]>([
    [
      '200 that names too few',
      ({ adds }, response) => response.end(JSON.stringify(taken(adds.slice(1)))),
      'it confirms 2 of 3 documents',
    ],
    [
      '200 that names too many',
      ({ adds }, response) => response.end(JSON.stringify(taken([...adds, 'more']))),
      'it confirms 4 of 3 documents',
    ],
    [
      '200 for a body that was not understood',
      (_, response) => response.end(JSON.stringify(taken([]))),
      'it confirms 0 of 3',
    ],
    [
      '200 for what was passed on',
      ({ adds }, response) => response.end(JSON.stringify({ ...taken([]), adds: adds.flatMap((id) => [id, 0]) })),
      '3 documents were passed on',
    ],
    [
      'another status in it',
      ({ adds }, response) => response.end(JSON.stringify(taken(adds, [], { status: 1 }))),
      'status 1',
    ],
    ['half of it', ({ adds }, response) => response.end(JSON.stringify(taken(adds)).slice(0, -9)), 'not all of it'],
    [
      'less than it announces',
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('{"respo', () => response.destroy());
      },
      'closed before',
    ],
    ['nothing', (_, response) => response.end(), 'not all of it'],
    ['a page', (_, response) => response.end('<html>ok</html>'), 'none to an update'],
    [
      '503',
      (_, response) => response.writeHead(503).end(refusal(503, 'No registered leader was found')),
      'HTTP 503 No registered leader',
    ],
    [
      '500 of a leader that died',
      (_, response) =>
        response.writeHead(500).end(refusal(500, 'Async exception during distributed update: Connection refused')),
      'HTTP 500 Async exception',
    ],
    ['510', (_, response) => response.writeHead(510).end(refusal(510, 'we are the leader')), 'HTTP 510'],
    ['no answer', () => undefined, 'no answer within 1 s'],
    ['a closed connection', (_, response) => response.destroy(), 'closed before'],
  ])('%s', async (_what, answer, says) => {
    solr.answer = answer;
    const result = failures(await write({ request_timeout: '1s' }));
    expect(result).toEqual(everyRecord(`retry POST ${solr.url}/orders/update: `));
    expect(result).toEqual(everyRecord(says));
  });

  test('1 GB', async () => {
    let sent = 0;
    solr.answer = (_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, ' ');
      const more = (): void => {
        while (sent < 1024 && !response.destroyed) {
          sent++;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
      };
      more();
    };
    expect(failures(await write())).toEqual(everyRecord('larger than 64 MiB'));
    expect(sent).toBeLessThan(200);
  });

  test('429, after as long as it says', async () => {
    solr.answer = (_, response) => response.writeHead(429, { 'retry-after': '7' }).end();
    const result = await write();
    expect(result).toMatchObject({
      failures: Array.from({ length: 3 }, () => ({ disposition: 'retry', retryAfterMs: 7000 })),
    });
  });
});

describe('what needs an operator', () => {
  test.each<[string, number, string, string, Record<string, string>?]>([
    ['wrong credentials', 401, '<html>Unauthorized</html>', 'HTTP 401; check `auth`'],
    ['no right', 403, '<html>Forbidden</html>', 'the right to write'],
    ['no such core', 404, '<html>Can not find</html>', 'check `endpoints`'],
    [
      'a redirect',
      302,
      '',
      'a redirect to https://else.example/; give the address',
      { location: 'https://else.example/' },
    ],
    ['a chain that is not there', 400, refusal(400, 'unknown UpdateRequestProcessorChain: nope'), 'update_chain'],
    ['a content type that is not taken', 415, refusal(415, 'Unsupported ContentType'), 'content type'],
  ])('%s', async (_what, status, body, says, headers = {}) => {
    solr.answer = (_update, response) => response.writeHead(status, headers).end(body);
    expect(failures(await write())).toEqual(everyRecord(new RegExp(`^block .*${says}`)));
    expect(solr.updates).toHaveLength(1);
  });
});

test('too large, for Solr and for us', async () => {
  solr.answer = (_, response) => response.writeHead(413).end();
  expect(failures(await write())).toEqual(everyRecord('split POST'));
  const large = ['x', 'y'].map((letter) => JSON.stringify({ letter: letter.repeat(40_000) }));
  expect(failures(await write({ max_request: '64KiB' }, large))).toMatch(
    /^split building an update: larger than 65536 bytes/,
  );
});

describe('a document that is refused', () => {
  const bad = (id: string): string => `ERROR: [doc=${id}] unknown field 'nosuch'`;
  const refuse =
    (isBad: (id: string) => boolean, message: (id: string) => string = bad) =>
    ({ adds, deletes }: Update, response: ServerResponse): void => {
      const at = adds.findIndex(isBad);
      if (at < 0) response.end(JSON.stringify(taken(adds, deletes)));
      else
        response
          .writeHead(400)
          .end(refusal(400, message(adds[at]!), { adds: adds.slice(0, at).flatMap((id) => [id, 9]) }));
    };

  test('and named: it alone, the others go once more in the same attempt', async () => {
    solr.answer = refuse((id) => id === idOf(1));
    expect(failures(await write())).toEqual({ 1: `reject adding a document: ${bad(idOf(1))}` });
    expect(solr.updates.map(({ adds }) => adds)).toEqual([[0, 1, 2].map(idOf), [0, 2].map(idOf)]);
    expect(harness!.status).toBe('2 written');
  });

  test('by a node that passed it on: the name stands further back', async () => {
    solr.answer = refuse(
      (id) => id === idOf(2),
      (id) => `Async exception during distributed update: Error from server: null\n\nRemote error message: ${bad(id)}`,
    );
    expect(failures(await write())).toEqual({ 2: `reject adding a document: ${bad(idOf(2))}` });
  });

  test('without a name: halves', async () => {
    solr.answer = refuse(
      () => true,
      () => 'Document is missing mandatory uniqueKey field: id',
    );
    expect(failures(await write())).toEqual(everyRecord('split adding a document: Document is missing'));
  });

  test('under an id that is none of ours: halves', async () => {
    solr.answer = refuse(
      () => true,
      () => bad('other'),
    );
    expect(failures(await write())).toEqual(everyRecord('split'));
  });

  test('too many of them: halves after a few', async () => {
    solr.answer = refuse(() => true);
    const records = Array.from({ length: 20 }, () => '{"n":1}');
    const said = failures(await write({}, records)) as Record<number, string>;
    expect(solr.updates).toHaveLength(8);
    expect(Object.values(said).filter((each) => each.startsWith('reject'))).toHaveLength(7);
    expect(Object.values(said).filter((each) => each.startsWith('split'))).toHaveLength(13);
  });

  test('a message that copies the document is cut', async () => {
    solr.answer = refuse(
      (id) => id === idOf(1),
      (id) => `ERROR: [doc=${id}] Error adding field 'a'='${'x'.repeat(100_000)}'`,
    );
    const said = failures(await write()) as Record<number, string>;
    expect(said[1]!.length).toBeLessThan(700);
  });

  test('by a chain that tolerates it: one request', async () => {
    const chain = {
      name: 'tolerant',
      '': [
        { class: 'solr.TolerantUpdateProcessorFactory' },
        { class: 'solr.LogUpdateProcessorFactory' },
        { class: 'solr.RunUpdateProcessorFactory' },
      ],
    };
    solr.facts['/config/updateRequestProcessorChain'] = { config: { updateRequestProcessorChain: [chain] } };
    solr.answer = ({ adds }, response) => {
      const errors = [{ type: 'ADD', id: adds[1], message: bad(adds[1]!) }];
      response.end(JSON.stringify(taken([adds[0]!, adds[2]!], [], { errors, maxErrors: -1 })));
    };
    expect(failures(await write())).toEqual({ 1: `reject adding a document: ${bad(idOf(1))}` });
    expect(Object.fromEntries(solr.updates[0]!.query)).toMatchObject({ 'update.chain': 'tolerant', maxErrors: '-1' });
    expect(solr.updates).toHaveLength(1);
  });

  test('by such a chain, all of them for the collection is read-only: no record is to blame', async () => {
    solr.answer = ({ adds }, response) => {
      const errors = adds.map((id) => ({ type: 'ADD', id, message: 'Collection orders is read-only.' }));
      response.end(JSON.stringify(taken([], [], { errors, maxErrors: -1 })));
    };
    expect(failures(await write())).toEqual(everyRecord(/^block .*is read-only\.; make the collection writable$/));
  });

  test('by such a chain, but of several records of its key: each alone', async () => {
    const records = [
      { key: 'a', value: '{"n":1}' },
      { key: 'a', value: '{"nosuch":1}' },
      { key: 'b', value: '{}' },
    ];
    solr.answer = (_, response) => {
      response.end(JSON.stringify(taken(['a', 'b'], [], { errors: [{ type: 'ADD', id: 'a', message: bad('a') }] })));
    };
    expect(failures(await write({ mode: 'keyed' }, records))).toEqual(everyRecord('split'));
  });
});

describe('conflicts', () => {
  const conflicting = (_update: Update, response: ServerResponse): void => {
    if (solr.updates.length > 1) response.end(JSON.stringify(taken(solr.updates[1]!.adds)));
    else
      response
        .writeHead(409)
        .end(refusal(409, `version conflict for ${idOf(0)} expected=-1 actual=1883086722611281920`));
  };

  test.each(['skip', 'reject'])('%s', async (onConflict) => {
    solr.facts['/schema'] = { schema: { uniqueKey: 'id', fields: [{ name: '_version_', type: 'plong' }] } };
    solr.answer = conflicting;
    const said = failures(await write({ only_if: 'absent', on_conflict: onConflict }));
    expect(said).toEqual({ 0: expect.stringContaining(`${onConflict} adding a document: version conflict`) as string });
    expect(solr.updates[0]!.body).toContain('"_version_":-1');
  });
});

test('versions: deletions go alone with theirs, and what is older is not missed', async () => {
  solr.facts['/schema'] = { schema: { uniqueKey: 'id', fields: [{ name: 'v_l', type: 'plong' }] } };
  const chain = { name: 'versioned', '': [{ class: 'solr.DocBasedVersionConstraintsProcessorFactory' }] };
  solr.facts['/config/updateRequestProcessorChain'] = { config: { updateRequestProcessorChain: [chain] } };
  solr.answer = ({ adds }, response) => response.end(JSON.stringify(taken(adds.slice(1))));
  const options = {
    mode: 'keyed',
    version: 'offset',
    version_field: 'v_l',
    delete_version_param: 'dv',
    update_chain: 'versioned',
  };
  const records = [
    { key: 'a', value: '{}' },
    { key: 'b', value: null },
    { key: 'c', value: '{}' },
  ];
  expect(failures(await write(options, records))).toEqual({});
  expect(solr.updates.map(({ body }) => body)).toEqual([
    '{"add":{"doc":{"id":"a","v_l":0}},"add":{"doc":{"id":"c","v_l":2}}}',
    '{"delete":{"id":"b"}}',
  ]);
  expect(solr.updates[1]!.query.get('dv')).toBe('1');
  expect(solr.updates[0]!.query.get('dv')).toBeNull();
});

test('a document that is refused beside a deletion without an answer: each record is spoken of once', async () => {
  solr.facts['/schema'] = { schema: { uniqueKey: 'id', fields: [{ name: 'v_l', type: 'plong' }] } };
  const chain = { name: 'versioned', '': [{ class: 'solr.DocBasedVersionConstraintsProcessorFactory' }] };
  solr.facts['/config/updateRequestProcessorChain'] = { config: { updateRequestProcessorChain: [chain] } };
  solr.answer = ({ deletes }, response) => {
    if (deletes.length > 0) response.destroy();
    else response.end(JSON.stringify(taken(['c'], [], { errors: [{ type: 'ADD', id: 'a', message: 'no' }] })));
  };
  const options = {
    mode: 'keyed',
    version: 'offset',
    version_field: 'v_l',
    delete_version_param: 'dv',
    update_chain: 'versioned',
  };
  const records = [
    { key: 'a', value: '{}' },
    { key: 'b', value: null },
    { key: 'c', value: '{}' },
  ];
  const result = await write(options, records);
  expect('failures' in result && result.failures.map(({ index, disposition }) => [index, disposition])).toEqual([
    [0, 'reject'],
    [2, 'retry'],
    [1, 'retry'],
  ]);
});

test('what an operator has mended is looked at anew', async () => {
  solr.answer = (_, response) => response.writeHead(400).end(refusal(400, 'unknown UpdateRequestProcessorChain: gone'));
  await write();
  const asked = solr.asked.length;
  await harness!.write();
  harness!.append(0, ['{}']);
  await harness!.write();
  expect(solr.asked.length).toBeGreaterThan(asked);
});

describe('the schema', () => {
  const withField = (name: string, type: string): void => {
    solr.facts['/schema'] = {
      schema: { uniqueKey: 'id', fields: [{ name, type }], dynamicFields: [{ name: '*_s', type: 'string' }] },
    };
  };

  test('what is missing is named, and nothing is written', async () => {
    withField('a', 'string');
    const schema = { a: { type: 'string' }, b_s: { type: 'string' }, c: { type: 'plong' }, d: { type: 'pdate' } };
    const said = failures(await write({ schema }));
    expect(said).toBe(
      'block checking the schema of "orders": the fields "c", "d" are missing; create them, or let `create_fields` do it',
    );
    expect(solr.updates).toEqual([]);
    withField('c', 'plong');
    expect(failures((await harness!.write())!)).toMatch(/the fields "a", "d" are missing/);
  });

  test('of another type, or another unique key', async () => {
    withField('a', 'pint');
    expect(failures(await write({ schema: { a: { type: 'plong' } } }))).toMatch(
      /"a" is of type pint, and `schema` says plong/,
    );
    expect(failures(await write({ id_field: 'key' }))).toMatch(/its unique key is "id", and `id_field` is "key"/);
  });

  test('that is not there: an operator has to know', async () => {
    solr.facts = {};
    expect(failures(await write())).toMatch(/block checking the schema of "orders": HTTP 404/);
  });
});

describe('a cloud', () => {
  const replica = (core: string, leader: boolean): object => ({
    core,
    node_name: 'n1',
    state: 'active',
    base_url: solr.url,
    ...(leader ? { leader: 'true' } : {}),
  });
  const clusterOf = (shards: object, more: object = {}): void => {
    solr.facts['/admin/collections'] = {
      cluster: { live_nodes: ['n1'], collections: { orders: { router: { name: 'compositeId' }, shards } }, ...more },
    };
  };
  const twoShards = (leaders: readonly boolean[] = [true, true]): void => {
    clusterOf({
      shard1: { range: '80000000-ffffffff', state: 'active', replicas: { a: replica('core1', leaders[0]!) } },
      shard2: { range: '0-7fffffff', state: 'active', replicas: { b: replica('core2', leaders[1]!) } },
    });
  };
  const keyed = ['order-1', 'order-2', 'A', 'abc'].map((key) => ({ key, value: '{}' }));
  const inCloud = { collection: 'orders', mode: 'keyed' };
  const whole = { rf: 2 };
  const takenByCloud = ({ adds }: Update, response: ServerResponse): void => {
    response.end(JSON.stringify(taken(adds, [], whole)));
  };

  test('documents go to the leader of their shard', async () => {
    twoShards();
    solr.answer = takenByCloud;
    expect(failures(await write(inCloud, keyed))).toEqual({});
    const byCore = Object.fromEntries(solr.updates.map(({ path, adds }) => [path, adds]));
    expect(byCore).toEqual({ '/solr/core1/update': ['order-1', 'abc'], '/solr/core2/update': ['order-2', 'A'] });
    expect(solr.asked.filter((path) => path.includes('CLUSTERSTATUS'))).toHaveLength(1);
  });

  test('a shard without a leader: its records wait, the others are written', async () => {
    twoShards([false, true]);
    solr.answer = takenByCloud;
    const waits = expect.stringContaining('retry updating a shard: shard1 of "orders" has no leader') as string;
    expect(failures(await write(inCloud, keyed))).toEqual({ 0: waits, 3: waits });
    expect(solr.updates.map(({ path }) => path)).toEqual(['/solr/core2/update']);
    twoShards();
    harness!.append(0, keyed);
    await harness!.write();
    expect(solr.updates).toHaveLength(3);
  });

  test.each([
    ['that nobody knows to be anywhere', { rf: 2147483647 }, 'rf 2147483647'],
    ['of too few replicas', { rf: 1 }, '1 of the 2 replicas of `min_replicas`'],
  ])('200 for documents %s: again, and who leads is asked anew', async (_what, header, says) => {
    twoShards();
    solr.answer = ({ adds }, response) => response.end(JSON.stringify(taken(adds, [], header)));
    const said = failures(await write({ ...inCloud, min_replicas: 2 }, keyed)) as Record<number, string>;
    expect(Object.values(said)).toHaveLength(4);
    for (const each of Object.values(said)) expect(each).toMatch(/^retry /);
    expect(said[0]).toContain(says);
    expect(solr.updates[0]!.query.get('min_rf')).toBe('2');
    solr.answer = takenByCloud;
    harness!.append(0, keyed);
    await harness!.write();
    expect(solr.asked.filter((path) => path.includes('CLUSTERSTATUS'))).toHaveLength(2);
  });

  test('an alias that is turned to another collection is noticed within a second', async () => {
    const clock = new ManualClock();
    const shards = (core: string): object => ({
      s: { range: '80000000-7fffffff', state: 'active', replicas: { a: replica(core, true) } },
    });
    clusterOf(shards('old'), { aliases: { current: 'orders' } });
    solr.answer = takenByCloud;
    harness = sinkHarness({ endpoints: [solr.url], collection: 'current' }, { clock });
    await harness.start();
    harness.append(0, ['{}']);
    await harness.write();
    clusterOf(shards('new'), { aliases: { current: 'orders' } });
    await clock.advance(1000);
    harness.append(0, ['{}']);
    await harness.write();
    expect(solr.updates.map(({ path }) => path)).toEqual(['/solr/old/update', '/solr/new/update']);
  });

  test('passed on by the endpoints: a request per shard, so that a shard that nobody took is not hidden behind another', async () => {
    twoShards();
    solr.answer = ({ adds }, response) => {
      const rf = adds.includes('order-2') ? 2147483647 : 2;
      response.end(JSON.stringify({ ...taken([], [], { rf }), adds: adds.flatMap((id) => [id, 0]) }));
    };
    const again = expect.stringMatching(
      /^retry .*\/orders\/update: nobody knows whether a replica has taken it/,
    ) as string;
    expect(failures(await write({ ...inCloud, routing: 'endpoints' }, keyed))).toEqual({ 1: again, 2: again });
    expect(solr.updates.map(({ path, adds }) => [path, adds])).toEqual([
      ['/solr/orders/update', ['order-1', 'abc']],
      ['/solr/orders/update', ['order-2', 'A']],
    ]);
  });

  test('deletions alone that no replica is known to have done go again', async () => {
    twoShards();
    solr.answer = ({ deletes }, response) => response.end(JSON.stringify(taken([], deletes, { rf: 2147483647 })));
    for (const routing of ['leaders', 'endpoints']) {
      const said = failures(await write({ ...inCloud, routing }, [{ key: 'A', value: null }]));
      expect(said).toEqual({ 0: expect.stringContaining('rf 2147483647') as string });
    }
  });

  test('with another router: the collection', async () => {
    solr.facts['/admin/collections'] = {
      cluster: { live_nodes: ['n1'], collections: { orders: { router: { name: 'implicit' }, shards: {} } } },
    };
    solr.answer = ({ adds }, response) =>
      response.end(JSON.stringify({ ...taken([], [], whole), adds: adds.flatMap((id) => [id, 0]) }));
    for (const routing of ['leaders', 'endpoints']) {
      expect(failures(await write({ ...inCloud, routing }, keyed))).toEqual({});
    }
    expect(solr.updates.map(({ path }) => path)).toEqual(['/solr/orders/update', '/solr/orders/update']);
  });

  test('collections by template, each record to its own; a name that may not be is refused', async () => {
    clusterOf({ s: { range: '80000000-7fffffff', state: 'active', replicas: { a: replica('core', true) } } });
    solr.answer = takenByCloud;
    const records = ['{"k":"a"}', '{"k":"b"}', '{"k":"../x"}', '{"k":"a"}'];
    const said = failures(await write({ collection: 'c-{{ value.k }}', routing: 'endpoints' }, records));
    expect(said).toEqual({ 2: expect.stringMatching(/^reject /) as string });
    expect(Object.fromEntries(solr.updates.map(({ path, adds }) => [path, adds]))).toEqual({
      '/solr/c-a/update': [idOf(0), idOf(3)],
      '/solr/c-b/update': [idOf(1)],
    });
  });

  test('nodes that would have credentials sent in clear text are not spoken to', async () => {
    twoShards();
    const { Cloud } = await import('../../../connectors/solr/cloud.ts');
    const sent: string[] = [];
    const client = (url: string): object => ({
      send: () => {
        sent.push(url);
        return Promise.resolve({
          status: 200,
          bytes: Buffer.from(JSON.stringify(solr.facts['/admin/collections'])),
          header: () => null,
        });
      },
      describe: () => 'GET',
      close: () => Promise.resolve(),
    });
    const clients = { client, all: (urls: readonly string[]) => urls.map(client) };
    const cloud = new Cloud(
      { endpoints: ['https://a/solr'], routing: 'leaders', clock: new ManualClock() },
      clients as never,
    );
    const { signal } = new AbortController();
    const target = await cloud.target('orders', signal);
    await expect(cloud.update(target, 0, { query: {}, body: Buffer.from('[]') }, signal)).rejects.toMatchObject({
      code: 'SINK_BLOCKED',
    });
    expect(sent).toEqual(['https://a/solr']);
  });
});
