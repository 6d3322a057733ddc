/** `node load-bulk.ts URL FOLDER`: posts the bulk bodies of a folder, a file each, over four connections. */
import { readdir, readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { inFlight } from '../in-flight.ts';

const CONNECTIONS = 4;

const [url, folder] = process.argv.slice(2) as [string, string];
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const files = (await readdir(folder)).sort();
await inFlight(bodies(), CONNECTIONS, post);
agent.destroy();

async function* bodies(): AsyncGenerator<Buffer> {
  for (const file of files) yield await readFile(join(folder, file));
}

function post(body: Buffer): Promise<void> {
  const target = `${url}/_bulk?filter_path=errors`;
  const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const posting = request(target, { method: 'POST', agent, headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (text: string) => (answer += text));
      response.on('end', () => {
        if (response.statusCode === 200 && answer.startsWith('{"errors":false')) resolve();
        else reject(new Error(`posting documents: HTTP ${response.statusCode}: ${answer.slice(0, 500)}`));
      });
    });
    posting.on('error', reject).end(body);
  });
}
