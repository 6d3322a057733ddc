import { CloudEvent, HTTP, type Message } from 'cloudevents';
import fc from 'fast-check';
import { decodeHeader } from '../../../connectors/http/formats/cloudevents/attributes.ts';
import { listen, stopAll, type Listening } from './support/listener.ts';

afterEach(stopAll);

const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const batch = { 'content-type': 'application/cloudevents-batch+json' };
const required = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/here', 'ce-type': 'example' };
const event = { specversion: '1.0', id: '1', source: '/here', type: 'example' };

function without(object: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(object).filter(([other]) => other !== name));
}

const cloudEvents = (options: Parameters<typeof listen>[0] = {}): Promise<Listening> =>
  listen({ format: 'cloudevents', path: '/events', ...options });

/** As `HTTP.binary` and the others give it. */
async function send({ ask }: Listening, { headers, body }: Message): Promise<number> {
  const options = { method: 'POST', path: '/events', headers: headers as Record<string, string> };
  return (await ask(options, body as string)).status;
}

function headersOf({ harness }: Listening, index = 0): Record<string, string> {
  return Object.fromEntries(harness.records[index]!.headers.map(([name, value]) => [name, value!.toString()]));
}

const post = (
  { ask }: Listening,
  body: string | Buffer,
  headers: Record<string, string>,
): ReturnType<Listening['ask']> => ask({ method: 'POST', path: '/events', headers }, body);

test('the SDK in binary mode: data, attributes as headers, the key', async () => {
  const listening = await cloudEvents();
  const sent = new CloudEvent({
    id: 'a 1',
    source: 'urn:example',
    type: 'com.example.order',
    subject: 'order 7',
    time: '2026-01-31T12:00:00.250Z',
    partitionkey: 'customer 9',
    datacontenttype: 'application/json',
    data: { total: 12.5 },
  });
  expect(await send(listening, HTTP.binary(sent))).toBe(200);
  const [record] = listening.harness.records;
  expect(record).toMatchObject({ timestamp: Date.parse('2026-01-31T12:00:00.250Z') });
  expect(record!.key?.toString()).toBe('customer 9');
  expect(JSON.parse(record!.value!.toString())).toEqual({ total: 12.5 });
  expect(headersOf(listening)).toMatchObject({
    ce_specversion: '1.0',
    ce_id: 'a 1',
    ce_source: 'urn:example',
    ce_type: 'com.example.order',
    ce_subject: 'order 7',
    ce_partitionkey: 'customer 9',
    'content-type': 'application/json',
  });
});

test('the SDK in structured mode makes the same record; `keep` keeps the event', async () => {
  const sent = new CloudEvent({
    ...event,
    partitionkey: 'k',
    datacontenttype: 'application/json',
    data: { n: [1, 'ü'] },
  });
  const [unfolding, keeping] = [await cloudEvents(), await cloudEvents({ cloudevents: { structured: 'keep' } })];
  for (const listening of [unfolding, keeping]) expect(await send(listening, HTTP.structured(sent))).toBe(200);
  expect(unfolding.harness.values).toEqual(['{"n":[1,"ü"]}']);
  expect(unfolding.harness.records[0]!.key?.toString()).toBe('k');
  expect(headersOf(unfolding)).toMatchObject({ ce_id: '1', ce_source: '/here', 'content-type': 'application/json' });
  expect(JSON.parse(keeping.harness.values[0]!)).toMatchObject({ ...event, data: { n: [1, 'ü'] } });
  expect(keeping.harness.records[0]!.key?.toString()).toBe('k');
  expect(headersOf(keeping)).toEqual({ 'content-type': 'application/cloudevents+json; charset=UTF-8' });
});

test('a batch is as many records, and none when one event is bad', async () => {
  const listening = await cloudEvents();
  const events = [0, 1, 2].map((n) => ({ ...event, id: String(n), data: n }));
  expect(await post(listening, JSON.stringify(events), batch)).toMatchObject({ status: 200, body: { records: 3 } });
  expect(listening.harness.values).toEqual(['0', '1', '2']);
  expect([0, 1, 2].map((n) => headersOf(listening, n).ce_id)).toEqual(['0', '1', '2']);
  expect(await post(listening, '[]', batch)).toMatchObject({ status: 200, body: { records: 0 } });
  const bad = without(event, 'type');
  expect(await post(listening, JSON.stringify([event, bad]), batch)).toMatchObject({
    status: 400,
    body: { attribute: 'type', error: expect.stringMatching(/^event 2: the attribute "type" is missing/) as string },
  });
  expect(listening.harness.count).toBe(3);
});

test.each([
  ['JSON', { data: { a: 1 } }, '{"a":1}', 'application/json'],
  ['JSON null', { data: null }, 'null', 'application/json'],
  ['a text of a JSON type', { datacontenttype: 'application/json', data: 'x' }, '"x"', 'application/json'],
  ['a type with +json', { datacontenttype: 'text/vnd.x+json; a=b', data: 'x' }, '"x"', 'text/vnd.x+json; a=b'],
  ['a text', { datacontenttype: 'text/xml', data: '<a b="ü"/>' }, '<a b="ü"/>', 'text/xml'],
  ['JSON of no JSON type', { datacontenttype: 'text/csv', data: [1] }, '[1]', 'text/csv'],
  ['base64', { datacontenttype: 'image/png', data_base64: 'aGk=' }, 'hi', 'image/png'],
  ['base64 of no type', { data_base64: 'aGk=' }, 'hi', undefined],
  ['nothing', {}, '', undefined],
])('structured data: %s', async (_name, data, value, type) => {
  const listening = await cloudEvents();
  expect((await post(listening, JSON.stringify({ ...event, ...data }), structured)).status).toBe(200);
  expect(listening.harness.values).toEqual([value]);
  expect(headersOf(listening)['content-type']).toBe(type);
});

test('attributes of all types, null is none', async () => {
  const listening = await cloudEvents();
  const body = `{"specversion":"1.0","id":"1","source":"/","type":"t","big":9007199254740993,"flag":true,"none":null}`;
  expect((await post(listening, body, structured)).status).toBe(200);
  expect(headersOf(listening)).toEqual({
    ce_specversion: '1.0',
    ce_id: '1',
    ce_source: '/',
    ce_type: 't',
    ce_big: '9007199254740993',
    ce_flag: 'true',
  });
});

test.each(['specversion', 'id', 'source', 'type'])('without %s it is no event', async (name) => {
  const listening = await cloudEvents();
  const headers = without(required, `ce-${name}`);
  const body = without(event, name);
  const expected = {
    status: 400,
    body: { attribute: name, error: expect.stringContaining(`"${name}" is missing`) as string },
  };
  expect(await post(listening, 'x', headers)).toMatchObject(expected);
  expect(await post(listening, JSON.stringify(body), structured)).toMatchObject(expected);
  expect(await post(listening, 'x', { ...required, [`ce-${name}`]: '' })).toMatchObject(expected);
  expect(listening.harness.emits).toEqual([]);
});

test.each([
  ['another version', { specversion: '0.3' }, 'specversion'],
  ['a time that is none', { time: 'yesterday' }, 'time'],
  ['a time without a zone', { time: '2026-01-31T12:00:00' }, 'time'],
  ['an attribute that is an object', { extension: {} }, 'extension'],
  ['an attribute that is an array', { extension: [] }, 'extension'],
  ['a name in capitals', { Extension: 'x' }, 'Extension'],
  ['a name with an underscore', { my_extension: 'x' }, 'my_extension'],
  ['__proto__', JSON.parse('{"__proto__":"x"}') as object, '__proto__'],
  ['data twice', { data: 1, data_base64: 'aGk=' }, 'data_base64'],
  ['no base64', { data_base64: 'a' }, 'data_base64'],
  ['base64 that is a number', { data_base64: 1 }, 'data_base64'],
])('%s gets 400 with its name', async (_name, wrong, attribute) => {
  const listening = await cloudEvents();
  const text = JSON.stringify(event).slice(0, -1) + JSON.stringify(wrong).replace('{', ',');
  expect(await post(listening, text, structured)).toMatchObject({ status: 400, body: { attribute } });
  expect(listening.harness.emits).toEqual([]);
});

test('bodies and types that do not go together', async () => {
  const listening = await cloudEvents();
  const text = JSON.stringify(event);
  expect((await post(listening, `[${text}]`, structured)).status).toBe(400);
  expect((await post(listening, text, batch)).status).toBe(400);
  expect((await post(listening, '', structured)).status).toBe(400);
  expect((await post(listening, `${text}x`, structured)).status).toBe(400);
  expect((await post(listening, text, { 'content-type': 'application/cloudevents+protobuf' })).status).toBe(415);
  expect((await listening.ask({ path: '/other' })).status).toBe(404);
  expect((await listening.ask({ path: '/events' })).status).toBe(405);
  expect((await listening.ask({ path: '/events/below', method: 'POST' })).status).toBe(404);
  expect((await listening.ask({ path: '/health' })).status).toBe(200);
});

test('binary data of any kind passes byte for byte; header values are decoded', async () => {
  const listening = await cloudEvents({ headers: ['X-Tenant'] });
  const bytes = Buffer.from([0, 0xff, 0x0a, 0x80]);
  const headers = {
    ...required,
    'content-type': 'application/octet-stream',
    'ce-subject': 'Euro%20%E2%82%AC%20%f0%9f%98%80 100% %zz',
    'ce-quoted': '"a \\"b\\" %41"',
    'x-tenant': 'acme',
  };
  expect((await post(listening, bytes, headers)).status).toBe(200);
  expect(listening.harness.records[0]!.value).toEqual(bytes);
  expect(headersOf(listening)).toMatchObject({
    ce_subject: 'Euro € 😀 100% %zz',
    ce_quoted: 'a "b" A',
    'content-type': 'application/octet-stream',
    'x-tenant': 'acme',
  });
  expect(await post(listening, '', { ...required, 'ce-subject': '%ff' })).toMatchObject({
    status: 400,
    body: { attribute: 'subject' },
  });
});

test('whatever is percent-encoded comes back', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      (text) => {
        expect(decodeHeader(encodeURIComponent(text))?.toString()).toBe(text);
      },
    ),
  );
});
