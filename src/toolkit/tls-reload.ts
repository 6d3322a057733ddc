import { describeError, type Clock, type Logger } from '../api/index.ts';
import { loadTls, tlsFingerprint, type TlsOptions } from './tls.ts';

const CHECK_MS = 30_000;

export interface TlsReload {
  readonly server: { setSecureContext(options: object): void };
  readonly tls: TlsOptions;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Serves new connections with a certificate that was replaced, within half a minute; one that cannot be used is said, and the old one stays. */
export async function reloadTls({ server, tls, clock, log, signal }: TlsReload): Promise<void> {
  let used = await tlsFingerprint(tls);
  for (;;) {
    await clock.sleep(CHECK_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    const found = await tlsFingerprint(tls);
    if (found === null || found === used) continue;
    used = found;
    try {
      server.setSecureContext(await loadTls(tls));
      log.info({ cert: tls.cert }, 'Certificate reloaded');
    } catch (error) {
      log.warn({ error: describeError(error) }, 'Changed certificate cannot be used, keeping the old one');
    }
  }
}
