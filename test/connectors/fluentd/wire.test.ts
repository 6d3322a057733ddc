import { connect } from 'node:net';
import { once } from 'node:events';
import { hex, listen, stopAll, until } from './support/forward.ts';

afterEach(stopAll);

/** What each client puts on the wire, byte for byte, with a second of `1700000000.123456789`; what it means; and what it has to be answered. */
const wire: readonly (readonly [client: string, bytes: string, values: readonly string[], ack: string | null])[] = [
  [
    'fluentd out_forward after in_tail: a text that holds binary, values that are bin, a chunk with a line feed at its end',
    '93a76170702e6c6f67db0000003092d7006553f100075bcd1581a76d657373616765c402686992d7006553f100075bcd1581a76d657373616765c402796f83a473697a6502aa636f6d70726573736564a474657874a56368756e6bb941414543417751464267634943516f4c4441304f44773d3d0a',
    ['{"message":"hi"}', '{"message":"yo"}'],
    '81a361636bb941414543417751464267634943516f4c4441304f44773d3d0a',
  ],
  [
    'fluentd with compress gzip: a text that holds gzip',
    '93a76170702e6c6f67db0000002b1f8b08000000000000039b749d2135f823037bf459d1c685b98b323227a10a54e60300d048462a2200000083a473697a6502aa636f6d70726573736564a4677a6970a56368756e6bb941414543417751464267634943516f4c4441304f44773d3d0a',
    ['{"m":"hi"}', '{"m":"yo"}'],
    '81a361636bb941414543417751464267634943516f4c4441304f44773d3d0a',
  ],
  [
    'fluent-cat: an array, and options without one',
    '93a76170702e6c6f679192d7006553f100075bcd1581a16da2686980',
    ['{"m":"hi"}'],
    null,
  ],
  [
    'Fluent Bit: an array with a chunk',
    '93a76170702e6c6f679292d7006553f100075bcd1581a16da2686992d7006553f100075bcd1581a16da2796f83a56368756e6ba5666c622d31a473697a6502ad666c75656e745f7369676e616c00',
    ['{"m":"hi"}', '{"m":"yo"}'],
    '81a361636ba5666c622d31',
  ],
  [
    'Fluent Bit with compress gzip: bin',
    '93a76170702e6c6f67c42b1f8b08000000000000039b749d2135f823037bf459d1c685b98b323227a10a54e60300d048462a2200000084a56368756e6ba5666c622d32a473697a6502aa636f6d70726573736564a4677a6970ad666c75656e745f7369676e616c00',
    ['{"m":"hi"}', '{"m":"yo"}'],
    '81a361636ba5666c622d32',
  ],
  [
    'Fluent Bit 5.1 by default: metadata beside the time of each entry',
    '93a76170702e6c6f67929292d7006553f100075bcd158081a16da268699292d7006553f100075bcd1581a16ba17681a16da2796f83a56368756e6ba5666c622d33a473697a6502ad666c75656e745f7369676e616c00',
    ['{"m":"hi"}', '{"m":"yo"}'],
    '81a361636ba5666c622d33',
  ],
  [
    'fluent-logger of PyPI: three elements, whole seconds',
    '93a66170702e7079ce6553f10081a16da26869',
    ['{"m":"hi"}'],
    null,
  ],
  ['the same with nanoseconds', '93a66170702e7079d7006553f100075bcd1581a16da26869', ['{"m":"hi"}'], null],
  [
    'fluent-logger-golang with RequestAck: a chunk of one record',
    '94a66170702e676fd7006553f100075bcd1581a16da2686981a56368756e6bac5a32387459326831626d733d',
    ['{"m":"hi"}'],
    '81a361636bac5a32387459326831626d733d',
  ],
  [
    '@fluent-org/logger: bin',
    '93a66170702e6a73c42292d7006553f100075bcd1581a16da2686992d7006553f100075bcd1581a16da2796f82a473697a6502a56368756e6ba4616e4d3d',
    ['{"m":"hi"}', '{"m":"yo"}'],
    '81a361636ba4616e4d3d',
  ],
  [
    'fluent-logger of npm, the older one: a size in bytes, and an option of its own',
    '93a76170702e6f6c64c42292d7006553f100075bcd1581a16da2686992d7006553f100075bcd1581a16da2796f84a56368756e6ba46232786ba473697a6522aa636f6d70726573736564a474657874b26576656e74456e7472794461746153697a6528',
    ['{"m":"hi"}', '{"m":"yo"}'],
    '81a361636ba46232786b',
  ],
];

test.each(wire)('%s', async (_client, bytes, values, ack) => {
  const { open, harness } = await listen();
  const client = await open();
  client.send(hex(bytes));
  await until(() => harness.count === values.length);
  expect(harness.values).toEqual(values);
  expect(harness.records.map(({ timestamp }) => Math.floor(timestamp / 1000))).toEqual(values.map(() => 1_700_000_000));
  const expected = hex(ack ?? '');
  await until(() => client.received.length >= expected.length);
  expect(client.received).toEqual(expected);
});

test('a heartbeat of fluentd, a connection that opens and closes, is nothing to mention', async () => {
  const { harness, port } = await listen();
  for (let n = 0; n < 5; n++) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end();
    await once(socket, 'close');
  }
  expect(harness.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  expect(harness.count).toBe(0);
});
