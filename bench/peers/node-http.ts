import { fileURLToPath } from 'node:url';
import type { Daemon, HttpToKafka } from '../system.ts';

const script = fileURLToPath(new URL('../processes/answer-posts.ts', import.meta.url));

/** What any server on node:http costs: it reads the bodies, answers and keeps nothing. */
export const nodeHttp: Daemon<HttpToKafka> = {
  kind: 'daemon',
  name: 'node:http',
  missing: () => Promise.resolve(null),
  prepare: ({ port }) => Promise.resolve({ command: process.execPath, parameters: [script, String(port)] }),
  ready: (_task, running) =>
    running.until(async () => (await running.output()).includes('listening'), 'the server to listen'),
};
