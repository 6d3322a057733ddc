import type { ConnectionOptions } from 'node:tls';
import type { Clock, Logger } from '../api/index.ts';
import { loadClientTls, warnEveryMinute } from '../toolkit/index.ts';
import type { KafkaSettings } from './options.ts';

/** What a connection is made with; null: without TLS. The files are read anew for each, since they are renewed. Throws `OPTION_INVALID` naming the file. */
export async function loadTls(tls: KafkaSettings['tls']): Promise<ConnectionOptions | null> {
  if (tls === false) return null;
  return loadClientTls(tls === true ? { insecure_skip_verify: false } : tls);
}

/** Says every minute what is not safe about the settings, until the signal aborts. */
export function warnInsecure(
  { tls, sasl }: KafkaSettings,
  context: { readonly log: Logger; readonly clock: Clock; readonly signal: AbortSignal },
): void {
  if (typeof tls === 'object' && tls.insecure_skip_verify)
    warnEveryMinute('tls.insecure_skip_verify', 'the certificates of Kafka brokers are not verified', context);
  if (sasl?.insecure_without_tls === true && tls === false)
    warnEveryMinute('sasl.insecure_without_tls', 'credentials go to the Kafka brokers in plain text', context);
}
