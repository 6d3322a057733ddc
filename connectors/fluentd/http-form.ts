const [AMPERSAND, EQUALS, PLUS, PERCENT, SPACE] = [0x26, 0x3d, 0x2b, 0x25, 0x20];

/** A field of an HTML form (`application/x-www-form-urlencoded`) as the bytes that it stands for, which MessagePack needs; null when it is not there. */
export function formField(form: Buffer, name: string): Buffer | null {
  for (let start = 0; start < form.length;) {
    const found = form.indexOf(AMPERSAND, start);
    const end = found < 0 ? form.length : found;
    const equals = form.subarray(start, end).indexOf(EQUALS);
    if (equals >= 0 && form.toString('latin1', start, start + equals) === name)
      return decoded(form.subarray(start + equals + 1, end));
    start = end + 1;
  }
  return null;
}

function decoded(text: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(text.length);
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]!;
    const encoded = byte === PERCENT ? hexByte(text, at + 1) : -1;
    bytes[end++] = encoded >= 0 ? encoded : byte === PLUS ? SPACE : byte;
    if (encoded >= 0) at += 2;
  }
  return bytes.subarray(0, end);
}

/** -1 when there are no two hex digits. */
function hexByte(text: Buffer, at: number): number {
  const [high, low] = [hexDigit(text[at]), hexDigit(text[at + 1])];
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
