import type { X509Certificate } from 'node:crypto';
import { checkServerIdentity, type TLSSocket } from 'node:tls';

/** Extended key usage of servers (RFC 5280 §4.2.1.12). */
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';
/** A server may send any number of certificates. */
const MAX_CHAIN = 10;

interface Pin {
  /** SHA-256, in upper case with colons. */
  readonly fingerprint: string;
  /** What a certificate has to be for, where an authority vouches for it. */
  readonly serverName: string;
}

/**
 * Null when the peer has proven to be whom the fingerprint trusts: its own certificate has it, or that of an authority which signed for this name. To send the
 * certificate of an authority along proves nothing, anybody can: each signature up to it is checked.
 */
export function pinFault(socket: TLSSocket, { fingerprint, serverName }: Pin): string | null {
  const own = socket.getPeerX509Certificate();
  if (own === undefined) return 'the server shows no certificate';
  if (own.fingerprint256 === fingerprint) return null;
  const signers = signersOf(own);
  const trusted = signers.findIndex((signer) => signer.fingerprint256 === fingerprint);
  if (trusted < 0)
    return `the certificate has the fingerprint ${own.fingerprint256}, not that of \`tls.fingerprint\`, and no authority that has it signed what the server sends`;
  if ([own, ...signers.slice(0, trusted + 1)].some((certificate) => !isValidNow(certificate)))
    return 'the certificate is not valid at this time';
  const uses = own.keyUsage as readonly string[] | undefined;
  if (uses !== undefined && !uses.includes(SERVER_AUTHENTICATION)) return 'the certificate is not one of a server';
  const isOther = checkServerIdentity(serverName, own.toLegacyObject()) !== undefined;
  return isOther ? 'the certificate is for another name; see `tls.server_name`' : null;
}

/** The authorities of a certificate, of those that were sent with it: each has signed the one before. */
function signersOf(own: X509Certificate): readonly X509Certificate[] {
  const signers: X509Certificate[] = [];
  for (let signed = own; signers.length < MAX_CHAIN;) {
    const signer = signed.issuerCertificate;
    if (signer?.ca !== true || !signed.checkIssued(signer) || !signed.verify(signer.publicKey)) break;
    signers.push(signer);
    signed = signer;
  }
  return signers;
}

function isValidNow({ validFromDate, validToDate }: X509Certificate): boolean {
  const now = new Date();
  return validFromDate <= now && now <= validToDate;
}
