import { once } from 'node:events';
import { createServer } from 'node:net';
import type { ListenAddress } from '../api/index.ts';
import { bind } from './listen.ts';
import { loadTls, type TlsOptions } from './tls.ts';

/** For `check` of a listener: reads its certificate and takes its address for a moment. Throws as listening would. */
export async function checkListener({ address, tls }: { address: ListenAddress; tls?: TlsOptions }): Promise<void> {
  if (tls !== undefined) await loadTls(tls);
  const server = createServer();
  await bind(server, address);
  server.close();
  await once(server, 'close');
}
