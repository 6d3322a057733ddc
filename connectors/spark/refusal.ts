import { SluiceError } from 'sluice/api';
import { readObject } from './json.ts';
import { shorten } from './reason.ts';

interface Answer {
  readonly status: number;
  readonly bytes: Buffer;
  readonly retryAfterMs?: number | undefined;
}

/** What a status other than success means: credentials and requests that are wrong need an operator, all else passes. */
export function refusal(doing: string, { status, bytes }: Answer): SluiceError {
  const body = readObject(bytes);
  const said = body?.text('message') ?? body?.text('msg') ?? '';
  const words = said === '' ? '' : `: ${shorten(said)}`;
  const message = `${doing}: HTTP ${status}${words}`;
  if (status === 401 || status === 403) return new SluiceError('SINK_BLOCKED', `${message}; check \`auth\``);
  if (status >= 300 && status < 400) return new SluiceError('SINK_BLOCKED', `${message}; redirects are not followed`);
  if (status >= 500 || status === 408 || status === 429)
    return new SluiceError('SINK_UNAVAILABLE', message, { retryable: true });
  return new SluiceError('SINK_BLOCKED', message);
}

/** An answer that says nothing: what was asked for may have happened. */
export function unreadable(doing: string): SluiceError {
  return new SluiceError('SINK_UNAVAILABLE', `${doing}: something answers that is not what it should be`, {
    retryable: true,
  });
}
