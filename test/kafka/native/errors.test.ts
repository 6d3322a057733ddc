import { protocolErrorsCodesById, ResponseError } from '@platformatic/kafka';
import { meaningOf } from '../../../src/kafka/common/error-codes.ts';
import { KafkaError, protocolError } from '../../../src/kafka/common/errors.ts';
import { answerOf, kafkaError } from '../../../src/kafka/native/errors.ts';

test('knows the name of every code that the package knows, and those of Kafka 4.3 behind them', () => {
  for (const [code, name] of Object.entries(protocolErrorsCodesById))
    if (name !== 'NONE') expect(meaningOf(Number(code)).name).toBe(name);
  for (let code = 1; code <= 133; code++) expect(meaningOf(code).name).toMatch(/^[A-Z_]+$/);
});

test('a code that is not known yet is final, and named', () => {
  expect(protocolError(999, 'asking')).toMatchObject({
    code: 'KAFKA_REFUSED',
    class: 'fatal',
    message: 'asking: error code 999',
  });
});

test.each([
  [6, 'metadata', 'KAFKA_UNREACHABLE', true],
  [16, 'coordinator', 'KAFKA_UNREACHABLE', true],
  [19, 'retry', 'KAFKA_UNREACHABLE', true],
  [90, 'fenced', 'KAFKA_FENCED', false],
  [25, 'fenced', 'KAFKA_REBALANCED', false],
  [29, 'denied', 'KAFKA_DENIED', false],
  [10, 'fatal', 'RECORD_TOO_LARGE', false],
  [58, 'fatal', 'KAFKA_CREDENTIALS', false],
] as const)('code %i is of the class %s: %s', (code, errorClass, sluiceCode, retryable) => {
  expect(protocolError(code, 'doing')).toMatchObject({ class: errorClass, code: sluiceCode, retryable });
});

test('says what was done, what the code means, and what the broker adds', () => {
  expect(protocolError(19, 'writing', 'only 1 of 2').message).toBe(
    'writing: fewer replicas are in sync than min.insync.replicas; only 1 of 2 (NOT_ENOUGH_REPLICAS)',
  );
});

test('gives the answer that carries error codes, and the meaning of the first where it is thrown', async () => {
  const response = { topics: [] };
  const thrown = new ResponseError(3, 12, { '/topics/0': [29, null] }, response);
  expect(await answerOf(Promise.reject(thrown))).toBe(response);
  expect(kafkaError(thrown, 'asking')).toMatchObject({ code: 'KAFKA_DENIED', protocolCode: 29 });
  const other = new Error('broken');
  await expect(answerOf(Promise.reject(other))).rejects.toBe(other);
  expect(kafkaError(other, 'asking')).toBeInstanceOf(KafkaError);
});
