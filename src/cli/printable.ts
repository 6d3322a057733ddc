/** What has no shape of its own, or steers a terminal: controls, formats such as the right-to-left override, lone surrogates, line separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const MAX_CHARACTERS = 2000;

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text from records and their origins, safe for a terminal: it may not move the cursor, change colours or set a title. */
export function printable(text: string): string {
  const cut = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
  return cut.replaceAll(UNPRINTABLE, (character) => {
    const escaped = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    return escaped ?? `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}

/** Bytes as text where they are text, else in base64. */
export function printableBytes(bytes: Uint8Array | null): string {
  if (bytes === null) return '(null)';
  const value = textOf(bytes);
  return typeof value === 'string' ? printable(value) : `(${bytes.length} bytes) ${printable(value.base64)}`;
}

/** As the console sink prints records for programs: bytes that are no text come as base64, in an object that says so. */
export function textOf(bytes: Uint8Array): string | { readonly base64: string } {
  try {
    return strictText.decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') };
  }
}

/** JSON in one line, safe for a terminal too. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value).replaceAll(UNPRINTABLE, (character) => {
    const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
  return `${json}\n`;
}
