import { once } from 'node:events';
import { createServer } from 'node:net';
import type { ListenAddress } from '../api/index.ts';
import { bindUdp } from './datagrams.ts';
import { bind } from './listen.ts';
import { loadTls, type TlsOptions } from './tls.ts';
import { checkUnixSocket, type UnixSocketOptions } from './unix-socket.ts';

/** For `check` of a listener: reads its certificate and takes its address for a moment; looks whether a Unix socket could be served. Throws as listening would. */
export async function checkListener({
  address,
  unix,
  tls,
  transport = 'tcp',
}: {
  readonly address: ListenAddress;
  /** Instead of `address`. */
  readonly unix?: UnixSocketOptions | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly transport?: 'tcp' | 'udp';
}): Promise<void> {
  if (unix !== undefined) return checkUnixSocket(unix);
  if (transport === 'udp') {
    (await bindUdp(address)).close();
    return;
  }
  if (tls !== undefined) await loadTls(tls);
  const server = createServer();
  await bind(server, address);
  server.close();
  await once(server, 'close');
}
