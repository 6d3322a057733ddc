import type { Row, ShownBy } from '../../rows/row.ts';
import { on, testRow } from '../../rows/test-row.ts';

const row = (name: string, component: string, fault: string, ...by: readonly (readonly ShownBy[])[]): Row =>
  testRow({ name, component, fault, on: 'embedded' }, ...by);

const fileSource = 'connectors/file/source.test.ts';

/** What tests show as they are. */
export const testRows: readonly Row[] = [
  row(
    'wire',
    'forward, syslog',
    'the bytes of fluentd, Fluent Bit, the loggers of Go, Python and npm, of logger, rsyslog and syslog-ng, as they were seen',
    on('connectors/fluentd/wire.test.ts', ''),
    on('connectors/syslog/wire.test.ts', ''),
  ),
  row(
    'unix-sockets',
    'listeners',
    'sockets in the file system: rights, what a killed hub left, datagrams that find no room',
    on('toolkit/unix-socket.test.ts', ''),
    on('connectors/syslog/unix.test.ts', ''),
    on('connectors/fluentd/source.test.ts', 'over a Unix socket'),
    on('connectors/socket/source.test.ts', 'over a Unix socket'),
  ),
  row(
    'forward-repeats',
    'forward',
    'acknowledgements lost, chunks that come again, before and after a kill',
    on(
      'connectors/fluentd/source.test.ts',
      'the acknowledgement comes when the records are durable',
      'a chunk that is sent again is acknowledged again',
      'a client that leaves right after its last chunk',
    ),
  ),
  row(
    'tail-rotation',
    'file',
    'renames, fast rotations, copytruncate, deleted while open, hard and symbolic links',
    on(
      fileSource,
      'a renamed file is read to its end',
      'five fast rotations while the budget is spent',
      'copies of three copytruncates',
      'hard and symbolic links to one file',
      'a deleted file is read to its end',
    ),
  ),
  row(
    'http-hostile',
    'http',
    'smuggling, bodies that are announced and do not come, bombs, clients that leave',
    on('connectors/http/hostile.test.ts', ''),
  ),
  row(
    'signatures',
    'http',
    'HMAC: the examples of the documents of GitHub and Stripe, several secrets, old and forged signatures',
    on('toolkit/webhook-signature.test.ts', ''),
  ),
  row(
    'formats-hostile',
    'http',
    'CloudEvents, OTLP and bulk requests that are broken, nested, cut, fuzzed',
    on('connectors/http/formats-hostile.test.ts', ''),
  ),
  row('forward-security', 'forward', 'keys, users, certificates', on('connectors/fluentd/security.test.ts', '')),
];
