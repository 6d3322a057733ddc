import { READ_UP_TO } from './memory';
import { writeDigits, writeInteger, writeNumber } from './numbers';
import { writeText } from './text';

/** The bytes end before the value does. */
export const CUT_OFF: usize = 1;
/** Something that is refused, or too rare to be written here. */
const UNUSUAL: usize = 0;
/** Larger than both. */
const LEAST_POSITION: usize = 2;

let at: usize = 0;
let end: usize = 0;
let depthLeft: i32 = 0;
let namesLeft: u32 = 0;

/**
 * Writes the MessagePack value in `[from, to)` as JSON at `output`, and returns where that ends; `READ_UP_TO` holds where the value does. Returns `CUT_OFF`, or 0 for what is
 * to be written, or refused, in JavaScript: extensions, names that are no text, text that is not UTF-8, what goes beyond the limits.
 */
export function writeMsgpack(from: usize, to: usize, output: usize, maxDepth: i32, maxNames: u32): usize {
  at = from;
  end = to;
  depthLeft = maxDepth;
  namesLeft = maxNames;
  const written = writeValue(output);
  store<u32>(READ_UP_TO, <u32>at);
  return written;
}

function writeValue(to: usize): usize {
  if (at >= end) return CUT_OFF;
  const byte = load<u8>(at++);
  if (byte < 0x80) return writeDigits(byte, to);
  if (byte < 0x90) return writeMap(byte & 15, to);
  if (byte < 0xa0) return writeArray(byte & 15, to);
  if (byte < 0xc0) return writeString(byte & 31, to);
  if (byte >= 0xe0) return writeInteger(<i8>byte, to);
  switch (byte) {
    case 0xc0:
      store<u32>(to, 0x6c6c756e);
      return to + 4;
    case 0xc2:
      store<u32>(to, 0x736c6166);
      store<u8>(to + 4, 0x65);
      return to + 5;
    case 0xc3:
      store<u32>(to, 0x65757274);
      return to + 4;
  }
  // Their bytes behind the first one are read before it is known that they are there: what is read then is not used.
  switch (byte) {
    case 0xc4:
    case 0xd9:
      return writeString(uint8(), to);
    case 0xc5:
    case 0xda:
      return writeString(uint16(), to);
    case 0xc6:
    case 0xdb:
      return writeString(uint32(), to);
    case 0xca:
      return known(writeNumber(reinterpret<f32>(uint32()), to));
    case 0xcb:
      return known(writeNumber(reinterpret<f64>(uint64()), to));
    case 0xcc:
      return known(writeDigits(uint8(), to));
    case 0xcd:
      return known(writeDigits(uint16(), to));
    case 0xce:
      return known(writeDigits(uint32(), to));
    case 0xcf:
      return known(writeDigits(uint64(), to));
    case 0xd0:
      return known(writeInteger(<i8>uint8(), to));
    case 0xd1:
      return known(writeInteger(<i16>uint16(), to));
    case 0xd2:
      return known(writeInteger(<i32>uint32(), to));
    case 0xd3:
      return known(writeInteger(<i64>uint64(), to));
    case 0xdc:
      return writeArray(uint16(), to);
    case 0xdd:
      return writeArray(uint32(), to);
    case 0xde:
      return writeMap(uint16(), to);
    case 0xdf:
      return writeMap(uint32(), to);
    default:
      return UNUSUAL;
  }
}

function writeMap(pairs: u32, to: usize): usize {
  if (at > end) return CUT_OFF;
  if (depthLeft == 0 || pairs > namesLeft) return UNUSUAL;
  namesLeft -= pairs;
  depthLeft--;
  const first = to;
  for (; pairs > 0; pairs--) {
    store<u8>(to, 0x2c);
    to = writeName(to + 1);
    if (to < LEAST_POSITION) return to;
    store<u8>(to, 0x3a);
    to = writeValue(to + 1);
    if (to < LEAST_POSITION) return to;
  }
  depthLeft++;
  // Each name was written behind a comma.
  if (to == first) to++;
  store<u8>(first, 0x7b);
  store<u8>(to, 0x7d);
  return to + 1;
}

function writeName(to: usize): usize {
  if (at >= end) return CUT_OFF;
  const byte = load<u8>(at++);
  if ((byte & 0xe0) == 0xa0) return writeString(byte & 31, to);
  if (byte == 0xd9 || byte == 0xc4) return writeString(uint8(), to);
  return UNUSUAL;
}

function writeArray(count: u32, to: usize): usize {
  if (at > end) return CUT_OFF;
  if (depthLeft == 0) return UNUSUAL;
  depthLeft--;
  const first = to;
  for (; count > 0; count--) {
    store<u8>(to, 0x2c);
    to = writeValue(to + 1);
    if (to < LEAST_POSITION) return to;
  }
  depthLeft++;
  if (to == first) to++;
  store<u8>(first, 0x5b);
  store<u8>(to, 0x5d);
  return to + 1;
}

function writeString(length: u32, to: usize): usize {
  const start = at;
  if (start > end || length > <u32>(end - start)) return CUT_OFF;
  at = start + length;
  return writeText(start, at, to);
}

/** Of a value whose bytes were read: were they there? */
function known(written: usize): usize {
  return at > end ? CUT_OFF : written;
}

function uint8(): u8 {
  return load<u8>(at++);
}

function uint16(): u16 {
  const value = bswap(load<u16>(at));
  at += 2;
  return value;
}

function uint32(): u32 {
  const value = bswap(load<u32>(at));
  at += 4;
  return value;
}

function uint64(): u64 {
  const value = bswap(load<u64>(at));
  at += 8;
  return value;
}
