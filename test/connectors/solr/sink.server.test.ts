import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json, WriteResult } from '../../../src/api/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import type { SinkHarness } from '../../../src/testing/index.ts';
import type { TestRecord } from '../../../src/testing/batches.ts';
import { sinkDefinition } from '../../../connectors/solr/index.ts';
import { cleanUp, HubFolder } from '../../cli/support/hub-folder.ts';
import { serverSuite, uniqueName } from '../../support/servers.ts';
import { RealSolr } from './support/solr.ts';
import { sinkHarness, sinkOptions } from './support/sink.ts';

const idOf = (offset: number): string => `lines+AAAAAAAA+0+${offset}`;

serverSuite('solr: a core', ['solr'], (where) => {
  let core: string;
  let harness: SinkHarness | null = null;
  let solr: RealSolr;

  beforeEach(async () => {
    solr = new RealSolr(where.solr.url);
    core = uniqueName('orders');
    await solr.createCore(core);
  });
  afterEach(async () => {
    await harness?.stop();
    harness = null;
    await cleanUp();
  });

  async function write(options: Record<string, Json>, records: readonly (string | TestRecord)[]): Promise<WriteResult> {
    await harness?.stop();
    harness = sinkHarness({ endpoints: [where.solr.url], core, ...options });
    harness.append(0, [...records]);
    await harness.start();
    return (await harness.write())!;
  }

  const said = (result: WriteResult): unknown =>
    'batch' in result
      ? `${result.batch.disposition} ${result.batch.error.message}`
      : Object.fromEntries(
          result.failures.map(({ index, disposition, error }) => [index, `${disposition} ${error.message}`]),
        );

  test('documents, however often they are written', async () => {
    const records = Array.from(
      { length: 500 },
      (_, n) => `{"amount":${n},"name":"n \\u00e9 ${n}","tags":["a","b"],"big_l":9007199254740993}`,
    );
    for (let times = 0; times < 2; times++) expect(said(await write({}, records))).toEqual({});
    expect(await solr.count(core)).toBe(500);
    expect(await solr.documents(core, [idOf(7)])).toMatchObject({
      [idOf(7)]: { amount: 7, name: 'n é 7', tags: ['a', 'b'] },
    });
    expect(await solr.count(core, 'big_l:9007199254740993')).toBe(500);
  });

  test('what it refuses is refused, and all of the others are taken', async () => {
    const bad: Record<number, string> = {
      1: '{"nosuch":1}',
      3: '{"amount":"abc"}',
      5: '{"created":"2024-13-01"}',
      7: '{"name":["a","b"]}',
      8: JSON.stringify({ name: 'x'.repeat(40_000) }),
    };
    const records = Array.from({ length: 10 }, (_, n) => bad[n] ?? `{"amount":${n}}`);
    const result = said(await write({}, records)) as Record<number, string>;
    expect(Object.keys(result)).toEqual(Object.keys(bad));
    for (const each of Object.values(result)) expect(each).toMatch(/^reject adding a document: /);
    expect(await solr.count(core)).toBe(5);
  });

  test('by a chain that does not tolerate any: the one that is named, then the others', async () => {
    harness = sinkHarness({ endpoints: [where.solr.url], core, update_chain: 'plain' });
    harness.append(0, ['{"amount":1}', '{"nosuch":1}', '{"amount":"abc"}', '{"amount":2}']);
    await harness.start();
    const result = said((await harness.write())!) as Record<number, string>;
    expect(result).toEqual({
      1: expect.stringMatching(/^reject .*unknown field 'nosuch'/) as string,
      2: expect.stringMatching(/^reject .*Error adding field 'amount'/) as string,
    });
    expect(await solr.count(core)).toBe(2);
  });

  test('keyed: the newest of each key, deletions, a key that is no plain text', async () => {
    const records = [
      { key: 'a', value: '{"amount":1}' },
      { key: 'b', value: '{"amount":1}' },
      { key: 'a', value: '{"amount":2}' },
      { key: 'b', value: null },
      { key: '"{!term f=id}c', value: '{"amount":3}' },
    ];
    expect(said(await write({ mode: 'keyed' }, records))).toEqual({});
    expect(await solr.documents(core, ['a', 'b'])).toMatchObject({ a: { amount: 2 } });
    expect(await solr.count(core)).toBe(2);
  });

  test('versions by offset: what is older changes nothing, after a deletion either', async () => {
    const options = {
      mode: 'keyed',
      version: 'offset',
      version_field: 'version_l',
      delete_version_param: 'deleted_version',
      update_chain: 'versioned',
    };
    const records = [
      { key: 'a', value: '{"amount":1}' },
      { key: 'b', value: '{"amount":1}' },
      { key: 'a', value: '{"amount":2}' },
      { key: 'b', value: null },
    ];
    for (let times = 0; times < 2; times++) expect(said(await write(options, records))).toEqual({});
    expect(said(await write(options, records.slice(0, 2)))).toEqual({});
    expect(await solr.documents(core, ['a', 'b'])).toMatchObject({
      a: { amount: 2, version_l: 2 },
      b: { version_l: 3 },
    });
    expect((await solr.documents(core, ['b'])).b).not.toHaveProperty('amount');
  });

  test('atomic updates, nested documents, conditions', async () => {
    await write({ mode: 'keyed' }, [{ key: 'a', value: '{"amount":1,"name":"x","tags":["p"]}' }]);
    const update = { mode: 'update', operators: ['add-distinct'] };
    expect(
      said(await write(update, [{ key: 'a', value: '{"amount":5,"name":null,"tags":{"add-distinct":"q"}}' }])),
    ).toEqual({});
    const { a } = await solr.documents(core, ['a']);
    expect(a).toMatchObject({ amount: 5, tags: ['p', 'q'] });
    expect(a).not.toHaveProperty('name');

    expect(
      said(await write({ nested: 'children' }, ['{"name":"parent","items":[{"amount":1},{"amount":2}]}'])),
    ).toEqual({});
    expect(await solr.count(core, `_root_:"${idOf(0)}"`)).toBe(3);

    const conditional = { mode: 'keyed', only_if: 'absent' };
    expect(
      said(
        await write(conditional, [
          { key: 'a', value: '{"amount":9}' },
          { key: 'new', value: '{"amount":9}' },
        ]),
      ),
    ).toEqual({
      0: expect.stringMatching(/^skip .*version conflict/) as string,
    });
    expect(await solr.documents(core, ['a', 'new'])).toMatchObject({ a: { amount: 5 }, new: { amount: 9 } });
  });

  test('fields that are missing: named, then created', async () => {
    const schema = {
      f_new: { type: 'string' },
      n_new: { type: 'plong', multi_valued: true },
      some_s: { type: 'string' },
    };
    expect(said(await write({ schema }, ['{"f_new":"x"}']))).toMatch(
      /^block .*the fields "f_new", "n_new" are missing/,
    );
    expect(said(await write({ schema, create_fields: true }, ['{"f_new":"x","n_new":[1,2]}']))).toEqual({});
    expect(await solr.documents(core, [idOf(0)])).toMatchObject({ [idOf(0)]: { f_new: 'x', n_new: [1, 2] } });
    expect(said(await write({ schema: { odd: { type: 'nosuch' } }, create_fields: true }, ['{}']))).toMatch(
      /^block creating fields of .*nosuch/,
    );
  });

  test('a document of 10 MB', async () => {
    const large = JSON.stringify({ body: 'word '.repeat(2 * 1024 * 1024) });
    expect(said(await write({ max_request: '20MiB' }, [large, '{"amount":1}']))).toEqual({});
    expect(await solr.count(core)).toBe(2);
  });

  test('what `validate --connect` finds', async () => {
    const check = async (written: Record<string, Json>): Promise<string> => {
      const log = { debug: () => undefined } as never;
      const context = { log, clock: realClock, outbound: { deny: [], allow: [] }, signal: AbortSignal.timeout(10_000) };
      return sinkDefinition.check!(sinkOptions({ endpoints: [where.solr.url], core, ...written }), context).then(
        () => 'good',
        (error: unknown) => (error as Error).message,
      );
    };
    expect(await check({})).toBe('good');
    expect(await check({ core: 'nosuch' })).toMatch(/HTTP 404; check `endpoints`/);
    expect(await check({ update_chain: 'nosuch' })).toMatch(/there is none of the name "nosuch"/);
    expect(await check({ schema: { f_other: { type: 'string' } } })).toMatch(/the field "f_other" is missing/);
    expect(await check({ schema: { f_other: { type: 'string' } }, create_fields: true })).toBe('good');
    expect(await check({ endpoints: [where.solr.url.replace('/solr', '/other')] })).toMatch(/not from Solr/);
    const cloud = sinkOptions({ endpoints: [where.solr.url], collection: 'orders' });
    await expect(
      sinkDefinition.check!(cloud, {
        log: {} as never,
        clock: realClock,
        outbound: { deny: [], allow: [] },
        signal: AbortSignal.timeout(10_000),
      }),
    ).rejects.toMatchObject({
      code: 'SINK_BLOCKED',
      message: expect.stringContaining('give `core` instead') as string,
    });
  });

  test('the example: each record once, however often it is run', async () => {
    const examples = join(import.meta.dirname, '..', '..', '..', 'pipelines');
    const folder = await HubFolder.create({});
    await cp(examples, join(folder.path, 'pipelines'), { recursive: true });
    const text = await readFile(join(examples, 'solr.yaml'), 'utf8');
    const here = text
      .replaceAll('http://127.0.0.1:8983/solr', where.solr.url)
      .replace('core: example', `core: ${core}`);
    await folder.write('pipelines/solr.yaml', here);
    for (const round of [0, 1]) {
      const hub = folder.run('--once', 'pipelines/solr.yaml');
      expect({ round, code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 0 });
      expect(await solr.count(core)).toBe(10_000);
    }
  });
});
