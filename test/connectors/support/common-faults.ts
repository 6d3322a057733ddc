import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, makeExpiredCertificate } from '../../../scripts/services/certificates.ts';
import type { Fault } from './live-through.ts';
import { Proxy } from './proxy.ts';

/** Nobody answers at the proxy's address, until somebody does. */
export function nodeDown(proxy: Proxy): Partial<Fault> {
  proxy.isOpen = false;
  return {
    says: new RegExp(`^degraded: .*${new URL(proxy.url).host}`),
    ends: () => {
      proxy.isOpen = true;
      return Promise.resolve();
    },
  };
}

/** A proxy before `target` whose certificate has expired, and is renewed when the fault ends. */
export async function withExpiredCertificate(
  target: string,
  use: (secured: { readonly url: string; readonly ca: string; readonly fault: Partial<Fault> }) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-faults-'));
  const made = await makeCertificates(folder);
  const [expired, cert, key] = await Promise.all(
    [await makeExpiredCertificate(folder), made.serverCertificate, made.serverKey].map((file) => readFile(file)),
  );
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const proxy = await Proxy.start(target, { cert: expired!, key: key! });
  const fault: Partial<Fault> = {
    says: /^paused: .*TLS: the certificate is not valid at this time/,
    ends: () => {
      proxy.serve({ cert: cert!, key: key! });
      return Promise.resolve();
    },
  };
  await use({ url: proxy.url, ca: made.ca, fault });
  await proxy.stop();
  await rm(folder, { recursive: true });
}
