import { readFile } from 'node:fs/promises';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import { SluiceError, type Clock, type Logger } from '../api/index.ts';
import type { KafkaSettings } from './options.ts';

const MINUTE_MS = 60_000;

/** What a connection is made with; null: without TLS. The files are read anew for each, since they are renewed. Throws `OPTION_INVALID` naming the file. */
export async function loadTls(tls: KafkaSettings['tls']): Promise<ConnectionOptions | null> {
  if (tls === false) return null;
  if (tls === true) return { minVersion: 'TLSv1.2' };
  const { ca, cert, key, passphrase, server_name: servername, insecure_skip_verify: skips } = tls;
  const context = {
    minVersion: 'TLSv1.2' as const,
    ...(ca === undefined ? {} : { ca: await readPem(ca, 'authorities') }),
    ...(cert === undefined ? {} : { cert: await readPem(cert, 'certificate') }),
    ...(key === undefined ? {} : { key: await readPem(key, 'private key') }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  try {
    createSecureContext(context);
  } catch (cause) {
    const files = [ca, cert, key].filter((file) => file !== undefined).map((file) => JSON.stringify(file));
    throw new SluiceError('OPTION_INVALID', `loading ${files.join(', ')} for TLS`, { cause });
  }
  return { ...context, rejectUnauthorized: !skips, ...(servername === undefined ? {} : { servername }) };
}

async function readPem(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new SluiceError('OPTION_INVALID', `reading the ${what} ${JSON.stringify(file)}`, { cause });
  }
}

/** Says every minute what is not safe about the settings, until the signal aborts. */
export async function warnInsecure(
  { tls, sasl }: KafkaSettings,
  { log, clock, signal }: { readonly log: Logger; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const isUnverified = typeof tls === 'object' && tls.insecure_skip_verify;
  const isReadable = sasl !== undefined && sasl.insecure_without_tls && tls === false;
  if (!isUnverified && !isReadable) return;
  while (!signal.aborted) {
    if (isUnverified)
      log.warn({ option: 'tls.insecure_skip_verify' }, 'the certificates of Kafka brokers are not verified');
    if (isReadable)
      log.warn({ option: 'sasl.insecure_without_tls' }, 'credentials go to the Kafka brokers in plain text');
    await clock.sleep(MINUTE_MS, signal).catch(() => undefined);
  }
}
