import { WordMembers, type JsonWriter } from 'sluice/codec';
import { Rfc3164Time, Rfc3339Time } from './time.ts';

const SPACE = 0x20;
const LESS = 0x3c;
const GREATER = 0x3e;
const ZERO = 0x30;
const NINE = 0x39;
const DASH = 0x2d;
const COLON = 0x3a;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const HIGHEST_PRIORITY = 191;
/** What RFC 3164 (section 4.3.3) gives to messages without one: user, notice. */
const NO_PRIORITY = 13;
/** RFC 5424, section 6.2.1. */
const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console solaris-cron local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
const SEVERITIES = 'emerg alert crit err warning notice info debug'.split(' ');
/** `"facility":"auth","severity":"crit"` of each priority. */
const LEVELS = Array.from({ length: HIGHEST_PRIORITY + 1 }, (_each, priority) =>
  Buffer.from(`{"facility":"${FACILITIES[priority >> 3]!}","severity":"${SEVERITIES[priority & 7]!}"`),
);
const HEADER = ['hostname', 'app_name', 'proc_id', 'msg_id'];
const NAMES_OF_HEADER = HEADER.map((name) => Buffer.from(`,"${name}":`));
const TIMESTAMP = Buffer.from(',"timestamp":');
const MESSAGE = Buffer.from(',"message":');
const STRUCTURED = Buffer.from(',"structured_data":{');
const [COMMA, NAMED, OPENED, CLOSED] = [',', ':', ':{', '}'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];
const LONGEST_TAG = 128;
/** RFC 5424 writes a byte order mark before text in UTF-8. */
const isMark = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;

/**
 * Writes syslog messages as JSON, bytes from bytes: RFC 5424 by its version, else RFC 3164 as far as a message follows it. Nothing is refused: what cannot be
 * told apart is all `message`.
 */
export class SyslogParser {
  /** Of the message written last: when it says it was sent; null when it does not say. */
  timeMs: number | null = null;
  readonly #json: JsonWriter;
  readonly #time: Rfc3164Time;
  readonly #exact = new Rfc3339Time();
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  /** Of RFC 5424, without structured data. */
  readonly #usual = new WordMembers(['timestamp', ...HEADER, null], 'message');

  constructor(json: JsonWriter, options: { readonly offsetMinutes: number }) {
    this.#json = json;
    this.#time = new Rfc3164Time(options.offsetMinutes);
  }

  /** Messages lie in these bytes, which do not change until others are opened: most are written faster then. */
  open(bytes: Buffer): void {
    this.#usual.open(bytes);
  }

  /** The message in `bytes[start, end)`. `nowMs` decides which year is meant where none is said. */
  write(bytes: Buffer, start: number, end: number, nowMs: number): void {
    this.#bytes = bytes;
    this.#end = end;
    this.timeMs = null;
    const behind = this.#priorityEnd(start);
    const priority = behind < 0 ? NO_PRIORITY : this.#number(start + 1, behind - 1);
    const json = this.#json;
    json.raw(LEVELS[priority]!);
    let at = Math.max(start, behind);
    if (behind >= 0 && bytes[at] === ZERO + 1 && bytes[at + 1] === SPACE) {
      at += 2;
      const timeEnd = this.#usual.write(bytes, at, end, json);
      if (timeEnd >= 0) {
        this.timeMs = this.#exact.read(bytes, at, timeEnd);
        return;
      }
      at = this.#rfc5424(at);
    } else if (behind >= 0) at = this.#rfc3164(at, nowMs);
    json.raw(MESSAGE);
    json.text(bytes, at, end);
    json.raw(CLOSED);
  }

  /** Behind `<165>`; -1 when there is none from 0 to 191. */
  #priorityEnd(start: number): number {
    const bytes = this.#bytes;
    if (bytes[start] !== LESS) return -1;
    let at = start + 1;
    while (at < this.#end && at < start + 4 && isDigit(bytes[at]!)) at++;
    if (at === start + 1 || bytes[at] !== GREATER || at >= this.#end) return -1;
    return this.#number(start + 1, at) > HIGHEST_PRIORITY ? -1 : at + 1;
  }

  #number(start: number, end: number): number {
    let number = 0;
    for (let at = start; at < end; at++) number = 10 * number + this.#bytes[at]! - ZERO;
    return number;
  }

  /** `TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`: where the message begins. What is absent is `-`. */
  #rfc5424(at: number): number {
    const timeEnd = this.#wordEnd(at);
    this.#stamp(at, timeEnd, this.#exact.read(this.#bytes, at, timeEnd));
    const end = this.#headerFields(timeEnd);
    if (end >= this.#end) return this.#end;
    at = end + 1;
    if (this.#bytes[at] === DASH) at++;
    else if (this.#bytes[at] === OPEN) at = this.#structured(at);
    if (at < this.#end && this.#bytes[at] === SPACE) at++;
    return at + 3 <= this.#end && isMark(this.#bytes, at) ? at + 3 : at;
  }

  /** ` HOSTNAME APP-NAME PROCID MSGID`: where they end. */
  #headerFields(start: number): number {
    let end = start;
    for (const name of NAMES_OF_HEADER) {
      if (end >= this.#end) return this.#end;
      const at = end + 1;
      end = this.#wordEnd(at);
      if (end - at === 1 && this.#bytes[at] === DASH) continue;
      this.#json.raw(name);
      this.#json.text(this.#bytes, at, end);
    }
    return end;
  }

  /** `[id name="value" …][…]`; where it is broken it is left to the message, whole. */
  #structured(start: number): number {
    const json = this.#json;
    const before = json.end;
    json.raw(STRUCTURED);
    let at = start;
    for (let first = true; at < this.#end && this.#bytes[at] === OPEN; first = false) {
      if (!first) json.raw(COMMA);
      at = this.#element(at + 1);
      if (at < 0) {
        json.end = before;
        return start;
      }
    }
    json.raw(CLOSED);
    return at;
  }

  /** Behind its `]`; -1 when it is broken. */
  #element(start: number): number {
    const bytes = this.#bytes;
    const json = this.#json;
    let at = start;
    while (at < this.#end && bytes[at] !== SPACE && bytes[at] !== CLOSE) at++;
    if (at === start || at >= this.#end) return -1;
    json.text(bytes, start, at);
    json.raw(OPENED);
    for (let first = true; bytes[at] === SPACE; first = false) {
      const name = at + 1;
      at = name;
      while (at < this.#end && bytes[at] !== EQUALS && bytes[at] !== CLOSE && bytes[at] !== SPACE) at++;
      if (bytes[at] !== EQUALS || bytes[at + 1] !== QUOTE || at === name || at + 1 >= this.#end) return -1;
      if (!first) json.raw(COMMA);
      json.text(bytes, name, at);
      json.raw(NAMED);
      at = this.#value(at + 2);
      if (at < 0) return -1;
    }
    if (bytes[at] !== CLOSE || at >= this.#end) return -1;
    json.raw(CLOSED);
    return at + 1;
  }

  /** Behind its closing quote; `\"`, `\\` and `\]` stand for their second character. */
  #value(start: number): number {
    const bytes = this.#bytes;
    let at = start;
    let isEscaped = false;
    for (; at < this.#end && bytes[at] !== QUOTE; at++) {
      if (bytes[at] !== BACKSLASH) continue;
      isEscaped = true;
      at++;
    }
    if (at >= this.#end) return -1;
    if (!isEscaped) this.#json.text(bytes, start, at);
    else {
      const plain = Buffer.from(bytes.toString('latin1', start, at).replaceAll(/\\(["\\\]])/g, '$1'), 'latin1');
      this.#json.text(plain, 0, plain.length);
    }
    return at + 1;
  }

  /** `Oct 11 22:14:15 host tag[pid]: message`, also with an RFC 3339 time, as rsyslog forwards it, and without a host. */
  #rfc3164(at: number, nowMs: number): number {
    const bytes = this.#bytes;
    let timeEnd = this.#time.read(bytes, at, this.#end, nowMs);
    let timeMs: number | null = this.#time.timeMs;
    if (timeEnd < 0) {
      timeEnd = this.#wordEnd(at);
      timeMs = this.#exact.read(bytes, at, timeEnd);
      if (timeMs === null) return this.#tag(at);
    }
    this.#stamp(at, timeEnd, timeMs);
    if (timeEnd >= this.#end) return this.#end;
    at = timeEnd + 1;
    const end = this.#wordEnd(at);
    // A word that ends like a tag is one: devices leave their name out.
    if (end < this.#end && end > at && bytes[end - 1] !== COLON && bytes[end - 1] !== CLOSE) {
      this.#json.raw(NAMES_OF_HEADER[0]!);
      this.#json.text(bytes, at, end);
      at = end + 1;
    }
    return this.#tag(at);
  }

  /** `tag[pid]: ` before the message, where there is one. */
  #tag(start: number): number {
    const bytes = this.#bytes;
    const json = this.#json;
    const last = Math.min(this.#end, start + LONGEST_TAG);
    let at = start;
    while (at < last && bytes[at] !== SPACE && bytes[at] !== COLON && bytes[at] !== OPEN) at++;
    const nameEnd = at;
    if (at === start || at >= last || bytes[at] === SPACE) return start;
    let [pid, pidEnd] = [0, 0];
    if (bytes[at] === OPEN) {
      pid = ++at;
      while (at < last && bytes[at] !== CLOSE && bytes[at] !== SPACE) at++;
      pidEnd = at;
      if (bytes[at] !== CLOSE || bytes[at + 1] !== COLON || at + 1 >= this.#end) return start;
      at++;
    }
    json.raw(NAMES_OF_HEADER[1]!);
    json.text(bytes, start, nameEnd);
    if (pidEnd > pid) {
      json.raw(NAMES_OF_HEADER[2]!);
      json.text(bytes, pid, pidEnd);
    }
    at++;
    return at < this.#end && bytes[at] === SPACE ? at + 1 : at;
  }

  #stamp(start: number, end: number, timeMs: number | null): void {
    this.timeMs = timeMs;
    if (end - start === 1 && this.#bytes[start] === DASH) return;
    this.#json.raw(TIMESTAMP);
    this.#json.text(this.#bytes, start, end);
  }

  #wordEnd(start: number): number {
    let at = start;
    while (at < this.#end && this.#bytes[at] !== SPACE) at++;
    return Math.min(at, this.#end);
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
