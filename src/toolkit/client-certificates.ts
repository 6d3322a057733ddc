import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { TlsOptions } from './tls.ts';

type Lists = Pick<TlsOptions, 'client_names' | 'client_fingerprints'>;

/** Which of the clients whose certificate an authority signed are served: all of them, unless a list says which. */
export class ClientCertificates {
  readonly #names: ReadonlySet<string>;
  readonly #fingerprints: ReadonlySet<string>;
  readonly #servesAll: boolean;

  constructor({ client_names: names, client_fingerprints: fingerprints }: Lists) {
    this.#names = new Set(names);
    this.#fingerprints = new Set(fingerprints?.map(plainFingerprint));
    this.#servesAll = names === undefined && fingerprints === undefined;
  }

  admit(socket: TLSSocket): boolean {
    if (this.#servesAll) return true;
    const certificate = socket.getPeerCertificate() as Partial<PeerCertificate>;
    const { fingerprint256 } = certificate;
    if (fingerprint256 === undefined) return false;
    if (this.#fingerprints.has(plainFingerprint(fingerprint256))) return true;
    return this.#names.size > 0 && namesOf(certificate).some((name) => this.#names.has(name));
  }
}

function plainFingerprint(text: string): string {
  return text.replaceAll(':', '').toUpperCase();
}

/** The common names, and of the alternative names those of hosts, people and services. */
function namesOf({ subject, subjectaltname }: Partial<PeerCertificate>): readonly string[] {
  const common = (subject as { readonly CN?: string | readonly string[] } | undefined)?.CN ?? [];
  return [...(typeof common === 'string' ? [common] : common), ...alternativeNames(subjectaltname ?? '')];
}

/** Node writes `DNS:a, URI:b`, and what could be read as a second name as a JSON string: where it is neither, nothing more is believed. */
function alternativeNames(text: string): readonly string[] {
  const one = /(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?=, |$)/y;
  const names: string[] = [];
  for (let match = one.exec(text); match !== null; match = one.exec(text)) {
    const [, kind, value] = match as unknown as [string, string, string];
    if (kind === 'DNS' || kind === 'URI' || kind === 'email')
      names.push(value.startsWith('"') ? (JSON.parse(value) as string) : value);
    if (one.lastIndex === text.length) break;
  }
  return names;
}
