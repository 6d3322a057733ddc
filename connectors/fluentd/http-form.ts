import { Refusal } from 'sluice/toolkit';

/** Finds a field of a form, as the bytes that it stands for, which MessagePack needs; null when it is not there. */
export type FormField = (form: Buffer, name: string) => Buffer | null;

const [AMPERSAND, EQUALS, PLUS, PERCENT, SPACE] = [0x26, 0x3d, 0x2b, 0x25, 0x20];

const LINE_END = Buffer.from('\r\n');
const HEADERS_END = Buffer.from('\r\n\r\n');
const MAX_PART_HEADERS_BYTES = 8192;

/** `application/x-www-form-urlencoded`. */
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

/** `multipart/form-data` (RFC 7578), parted by the boundary that `contentType` names. Throws 400 without one, and for a form that is cut off. */
export function multipartField(contentType: string): FormField {
  const found = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2];
  if (boundary === undefined)
    throw new Refusal(400, 'the Content-Type of the form names no boundary; nothing of this request was taken');
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  return (form, name) => fieldOf(form, delimiter, name);
}

function fieldOf(form: Buffer, delimiter: Buffer, name: string): Buffer | null {
  const first = delimiter.subarray(LINE_END.length);
  let at = first.length;
  if (!form.subarray(0, at).equals(first)) at = endOfFirst(form, delimiter);
  while (form.toString('latin1', at, at + 2) !== '--') {
    const headersEnd = form.indexOf(HEADERS_END, at);
    const start = headersEnd + HEADERS_END.length;
    const end = headersEnd < 0 ? -1 : form.indexOf(delimiter, start);
    if (end < 0 || headersEnd - at > MAX_PART_HEADERS_BYTES)
      throw new Refusal(400, 'the form is not parted by its boundary up to the end; nothing of this request was taken');
    if (partName(form.toString('latin1', at, headersEnd)) === name) return form.subarray(start, end);
    at = end + delimiter.length;
  }
  return null;
}

/** What stands before it is for readers that know no parts. The end of the form when there is none. */
function endOfFirst(form: Buffer, delimiter: Buffer): number {
  const start = form.indexOf(delimiter);
  return start < 0 ? form.length : start + delimiter.length;
}

function partName(headers: string): string | null {
  const found = /^content-disposition:[^\r\n]*?;[ \t]*name=(?:"([^"\r\n]*)"|([^\s;"]+))/im.exec(headers);
  return found?.[1] ?? found?.[2] ?? null;
}
