import type { IncomingMessage } from 'node:http';
import { Refusal } from 'sluice/toolkit';

const HEALTH_PATH = '/health';
const MAX_KEY_CHARACTERS = 255;

/** Throws 404 or 405. */
export function route(request: Pick<IncomingMessage, 'method' | 'url'>, path: string): 'records' | 'health' {
  const { method = '', url = '' } = request;
  const asked = url.split('?', 1)[0]!;
  if (asked === path && (method === 'POST' || method === 'PUT')) return 'records';
  if (asked === HEALTH_PATH && (method === 'GET' || method === 'HEAD')) return 'health';
  if (asked === path || asked === HEALTH_PATH) {
    const allowed = [...(asked === path ? ['POST', 'PUT'] : []), ...(asked === HEALTH_PATH ? ['GET', 'HEAD'] : [])];
    throw new Refusal(405, `${method} does nothing here; use ${allowed.join(', ')}`, {
      headers: { Allow: allowed.join(', ') },
    });
  }
  throw new Refusal(404, `there is nothing at this path; post records to ${path}`);
}

/** Null when there is none. Throws 400 for one that cannot be kept. */
export function idempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const key = typeof header === 'string' ? header.trim() : header.join(', ');
  if (key !== '' && key.length <= MAX_KEY_CHARACTERS) return key;
  throw new Refusal(400, `an Idempotency-Key has 1 to ${MAX_KEY_CHARACTERS} characters; send one id a request`);
}
