import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of a test authority's certificates: a server's for localhost and 127.0.0.1, a client's named `client1`, as PEM and as the stores that Java wants. */
export interface Certificates {
  readonly ca: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** PKCS12, password `changeit`. */
  readonly keyStore: string;
  readonly trustStore: string;
}

export async function makeCertificates(folder: string): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const openssl = (...parameters: string[]): Promise<unknown> => run('openssl', parameters, { cwd: folder });
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '3650',
    '-subj',
    '/CN=TestCA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  await writeFile(at('names.cnf'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/CN=client1'],
  ] as const) {
    await openssl('req', ...newKey, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const sign = [
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '3650',
    ];
    await openssl(...sign, '-extfile', 'names.cnf', '-out', `${name}.crt`);
  }
  const bundle = [
    'pkcs12',
    '-export',
    '-in',
    'server.crt',
    '-inkey',
    'server.key',
    '-certfile',
    'ca.crt',
    '-name',
    'server',
  ];
  await openssl(...bundle, '-passout', 'pass:changeit', '-out', 'server.p12');
  const trust = [
    '-importcert',
    '-noprompt',
    '-alias',
    'ca',
    '-file',
    'ca.crt',
    '-keystore',
    'trust.p12',
    '-storetype',
    'PKCS12',
  ];
  await run('keytool', [...trust, '-storepass', 'changeit'], { cwd: folder });
  return {
    ca: at('ca.crt'),
    serverCertificate: at('server.crt'),
    serverKey: at('server.key'),
    clientCertificate: at('client.crt'),
    clientKey: at('client.key'),
    keyStore: at('server.p12'),
    trustStore: at('trust.p12'),
  };
}

/** One of the server's key that ended when it was made, by the authority of `makeCertificates` in the same folder. Ready to be refused after a second. */
export async function makeExpiredCertificate(folder: string): Promise<string> {
  const sign = ['x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
  await run('openssl', [...sign, '-days', '0', '-extfile', 'names.cnf', '-out', 'expired.crt'], { cwd: folder });
  return join(folder, 'expired.crt');
}

/** One of the server's key by a stranger that calls himself like the authority of `makeCertificates` in the same folder, down to the identifier of its key. */
export async function makeForgedCertificate(folder: string): Promise<string> {
  const openssl = (...parameters: string[]): Promise<{ stdout: string }> => run('openssl', parameters, { cwd: folder });
  const { stdout } = await openssl('x509', '-in', 'ca.crt', '-noout', '-ext', 'subjectKeyIdentifier');
  const identifier = stdout.replace(/^.*\n/, '').replaceAll(/[\s:]/g, '');
  const names = ['-subj', '/CN=TestCA', '-addext', `subjectKeyIdentifier=${identifier}`];
  const files = ['-keyout', 'stranger.key', '-out', 'stranger.crt'];
  await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '10', ...names, ...files);
  const sign = [
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'stranger.crt',
    '-CAkey',
    'stranger.key',
    '-CAcreateserial',
  ];
  await openssl(...sign, '-days', '10', '-extfile', 'names.cnf', '-out', 'forged.crt');
  return join(folder, 'forged.crt');
}
