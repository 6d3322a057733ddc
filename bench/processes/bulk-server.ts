/** `node bulk-server.ts PORT`: takes what Elasticsearch takes as bulk requests and Solr as updates, answers at once and counts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { LatencyHistogram } from '../latency-histogram.ts';

const [port] = process.argv.slice(2).map(Number);
const FIELD = Buffer.from('"appended_us":');
/** How a document begins; the lines themselves hold no such thing. */
const SOLR_ID = Buffer.from('{"id":"');
const PRODUCT = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' };

let documents = 0;
let latency = new LatencyHistogram();

createServer((request, response) => {
  if (request.url === '/_bench') answer(response, { documents, latency: latency.summary() });
  else if (request.url === '/_bench/reset') reset(response);
  else if (request.url?.includes('_bulk') === true) takeBulk(request, response);
  else if (request.url?.startsWith('/solr/') === true) takeSolr(request, response);
  else if (request.url === '/')
    answer(response, { version: { number: '8.19.21' }, cluster_uuid: 'bench', tagline: 'You Know, for Search' });
  else request.resume().on('end', () => response.writeHead(404, PRODUCT).end('{}'));
}).listen(port, '127.0.0.1');

function takeBulk(request: IncomingMessage, response: ServerResponse): void {
  const now = microseconds();
  let feeds = 0;
  request.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) feeds++;
    if (chunk.includes(FIELD)) noteLatency(chunk, now);
  });
  request.on('end', () => {
    // An action and a document each; nothing is deleted here.
    const count = feeds / 2;
    documents += count;
    response.writeHead(200, PRODUCT).end(replyOf(count));
  });
}

function takeSolr(request: IncomingMessage, response: ServerResponse): void {
  const { url = '' } = request;
  if (url.includes('/schema')) answer(response, { schema: { uniqueKey: 'id' } });
  else if (url.includes('/config')) answer(response, { config: {} });
  else {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      let count = 0;
      for (let at = body.indexOf(SOLR_ID); at >= 0; at = body.indexOf(SOLR_ID, at + SOLR_ID.length)) count++;
      documents += count;
      response.writeHead(200, PRODUCT).end(solrReplyOf(count));
    });
  }
}

/** Of every document that says when its line was appended; one cut by a chunk is left out. */
function noteLatency(chunk: Buffer, now: number): void {
  for (let at = chunk.indexOf(FIELD); at >= 0; at = chunk.indexOf(FIELD, at + FIELD.length)) {
    const end = chunk.indexOf(0x7d, at);
    if (end > 0) latency.add(now - Number(chunk.toString('latin1', at + FIELD.length, end)));
  }
}

function reset(response: ServerResponse): void {
  documents = 0;
  latency = new LatencyHistogram();
  answer(response, {});
}

const item = '{"create":{"status":201}}';
const replies = new Map<number, string>();

function replyOf(count: number): string {
  let reply = replies.get(count);
  if (reply === undefined) {
    reply = `{"errors":false,"items":[${`${item},`.repeat(count).slice(0, -1)}]}`;
    if (replies.size < 100) replies.set(count, reply);
  }
  return reply;
}

const solrReplies = new Map<number, string>();

/** Names each document with a version, as long as those of Solr are. */
function solrReplyOf(count: number): string {
  let reply = solrReplies.get(count);
  if (reply === undefined) {
    const names = `"bench-topic+AAAAAAAA+0+1234567",1883086722384789504,`.repeat(count).slice(0, -1);
    reply = `{"responseHeader":{"status":0,"QTime":1},"adds":[${names}]}`;
    if (solrReplies.size < 100) solrReplies.set(count, reply);
  }
  return reply;
}

function answer(response: ServerResponse, body: object): void {
  response.writeHead(200, PRODUCT).end(JSON.stringify(body));
}

function microseconds(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}
