import { once } from 'node:events';
import { connect } from 'node:net';
import { sourceDefinition } from '../../../connectors/syslog/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness } from '../../../src/testing/index.ts';

const running = new Set<SourceHarness>();

async function listen(): Promise<{ harness: SourceHarness; port: number }> {
  const harness = createSourceHarness({
    clock: realClock,
    definition: sourceDefinition,
    options: {
      listen: { host: '127.0.0.1', port: 0 },
      transport: 'tcp',
      value: 'json',
      client_header: '',
      utc_offset: '+00:00',
      max_message: 65_536,
      max_in_flight: 64 * 1024 * 1024,
      max_connections: 4096,
      max_connections_per_address: 256,
      message_timeout: 60_000,
      keep_alive: 60_000,
    },
  });
  await harness.start();
  while (harness.status === '') await Promise.race([harness.ended, realClock.sleep(1)]);
  running.add(harness);
  return { harness, port: Number(/:(\d+)$/.exec(harness.status)![1]) };
}

afterEach(async () => {
  for (const harness of running) await harness.stop();
  running.clear();
});

const app = { app_name: 'app', facility: 'user', severity: 'notice' };

/** What each sender writes, in the segments in which it writes it. */
const wire: readonly (readonly [sender: string, segments: readonly string[], message: object])[] = [
  ['logger, RFC 3164', ['<13>Nov 23 00:02:18 vm app: line one\n'], { ...app, hostname: 'vm', message: 'line one' }],
  [
    'logger, counted, without a line feed',
    ['37 <13>Nov 23 00:02:18 vm app: counted 1'],
    { ...app, hostname: 'vm', message: 'counted 1' },
  ],
  [
    'logger, RFC 5424 with the quality of its clock',
    ['<13>1 2026-11-23T00:02:18.784402+00:00 vm app - - [timeQuality tzKnown="1" isSynced="0"] line one\n'],
    {
      ...app,
      hostname: 'vm',
      message: 'line one',
      structured_data: { timeQuality: { tzKnown: '1', isSynced: '0' } },
    },
  ],
  [
    'logger, with an id and structured data',
    ['<13>1 2026-11-23T00:02:18.784402+00:00 vm app - M1 [ex@32473 k="v"] with sd\n'],
    { ...app, msg_id: 'M1', structured_data: { 'ex@32473': { k: 'v' } }, message: 'with sd' },
  ],
  [
    'rsyslog, counted: the count includes the line feed of the template',
    ['62 <133>1 2026-11-23T00:02:19.115455+00:00 vm app - - - line one\n'],
    { app_name: 'app', facility: 'local0', severity: 'notice', message: 'line one' },
  ],
  [
    'rsyslog, lines of the traditional format',
    ['<133>Nov 23 00:02:19 vm app: line one\n'],
    { app_name: 'app', facility: 'local0', message: 'line one' },
  ],
  [
    'syslog-ng: the count in a segment of its own, then the frame, cut anywhere',
    ['73', ' ', '<13>1 2026-11-23T00:02:19+00:00 vm app - - [meta sequ', 'enceId="1"] sng one\n'],
    { ...app, structured_data: { meta: { sequenceId: '1' } }, message: 'sng one' },
  ],
  [
    'text in UTF-8 without a byte order mark, and with one',
    ['<13>1 - vm app - - - \ufeffGrüße\n'],
    { ...app, message: 'Grüße' },
  ],
];

test.each(wire)('%s', async (_sender, segments, message) => {
  const { harness, port } = await listen();
  const socket = connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  for (const segment of segments) {
    socket.write(segment);
    await realClock.sleep(10);
  }
  const deadline = Date.now() + 5000;
  while (harness.count < 1 && Date.now() < deadline) await realClock.sleep(2);
  expect(harness.values.map((value) => JSON.parse(value) as unknown)).toEqual([expect.objectContaining(message)]);
  socket.destroy();
});
