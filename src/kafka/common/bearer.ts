import { credentialsError, refusedCredentials, type Sasl } from './credentials.ts';

/** RFC 7628: a refusal comes as a message, which the client answers with one byte before the server fails the exchange. */
export async function bearer(
  token: string,
  exchange: { readonly sasl: Sasl; readonly broker: string; readonly send: (message: Buffer) => Promise<Buffer> },
): Promise<void> {
  const { sasl, broker, send } = exchange;
  if (!/^[\w.~+/-]+=*$/.test(token)) throw credentialsError(`the token for broker ${broker} is not a bearer token`);
  const refusal = await send(Buffer.from(`n,,\x01auth=Bearer ${token}\x01\x01`));
  if (refusal.length === 0) return;
  await send(Buffer.from('\x01'));
  throw refusedCredentials(sasl, broker);
}
