import { readError, readUpdateAnswer, shortened } from '../../../connectors/solr/update-answer.ts';

const read = (text: string) => readUpdateAnswer(Buffer.from(text));

test('documents with a version were taken, those with 0 passed on', () => {
  expect(
    read(
      '{"responseHeader":{"rf":2,"status":0,"QTime":79},"adds":["a",1883086722384789504,"b\\"",0],"deletes":["c",-5]}',
    ),
  ).toEqual({ status: 0, replicas: 2, errors: [], confirmed: 2, unconfirmed: 1 });
  expect(read('{ "responseHeader" : { "status" : 0 } }')).toMatchObject({ confirmed: 0, replicas: null });
});

test('a number of replicas that stands for none', () => {
  expect(read('{"responseHeader":{"rf":2147483647,"status":0}}')).toMatchObject({ replicas: Infinity });
});

test('what was tolerated', () => {
  const errors = [{ type: 'ADD', id: 't2', message: 'ERROR: [doc=t2] no' }];
  const text = JSON.stringify({ responseHeader: { errors, maxErrors: -1, status: 0 }, adds: ['t1', 5] });
  expect(read(text)).toMatchObject({ confirmed: 1, errors: [{ id: 't2', message: 'ERROR: [doc=t2] no' }] });
});

test('half an answer, another one, and none', () => {
  const whole = '{"responseHeader":{"status":0,"QTime":7},"adds":["a",5,"b",6]}';
  for (let end = 0; end < whole.length; end++) expect(read(whole.slice(0, end))).toBeNull();
  for (const other of [
    '[]',
    '{}',
    '"ok"',
    '<html>',
    '{"responseHeader":[]}',
    '{"responseHeader":{}}',
    '{"responseHeader":{"status":0},"adds":["a"]}',
    '{"responseHeader":{"status":0},"adds":{"a":5}}',
  ])
    expect({ other, read: read(other) }).toEqual({ other, read: null });
});

test('errors of Solr, of others, and of great length', () => {
  expect(readError(Buffer.from('{"error":{"msg":"no"}}')).message).toBe('no');
  expect(readError(Buffer.from('{"error":{"trace":"java.lang"}}')).message).toBe('java.lang');
  for (const text of ['<html>Unauthorized</html>', '', '[]', 'null', '{"error":{"msg":5}}']) {
    expect(readError(Buffer.from(text)).message).toBe('');
  }
  expect(readError(Buffer.alloc(9 * 1024 * 1024, 'x')).message).toBe('');
  expect(shortened(`a\n\n b${'x'.repeat(1000)}`)).toHaveLength(501);
});
