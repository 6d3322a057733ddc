import { writeLongNumber } from './host';
import { DIGITS_END, PAIRS_OF_DIGITS } from './memory';

const ZERO: u8 = 0x30;
const MINUS: u8 = 0x2d;
const POINT: u8 = 0x2e;
/** With six decimals it has fifteen digits, and no other number of so many digits means the same double. */
const LARGEST_SHORT: f64 = 1e9;
const MOST_SCALE: f64 = 1e6;
/** Below it JSON has exponents. */
const SMALLEST_SHORT: f64 = 1e-6;

/** Writes a whole number and returns where it ends. */
export function writeDigits(value: u64, to: usize): usize {
  if (value < 10) {
    store<u8>(to, ZERO + <u8>value);
    return to + 1;
  }
  let at = DIGITS_END;
  for (; value >= 100; value /= 100) {
    at -= 2;
    store<u16>(at, load<u16>(PAIRS_OF_DIGITS + 2 * <usize>(value % 100)));
  }
  if (value < 10) store<u8>(--at, ZERO + <u8>value);
  else {
    at -= 2;
    store<u16>(at, load<u16>(PAIRS_OF_DIGITS + 2 * <usize>value));
  }
  // Up to twenty digits: a vector and a word.
  v128.store(to, v128.load(at));
  store<u32>(to + 16, load<u32>(at + 16));
  return to + DIGITS_END - at;
}

export function writeInteger(value: i64, to: usize): usize {
  if (value >= 0) return writeDigits(<u64>value, to);
  store<u8>(to, MINUS);
  return writeDigits(0 - <u64>value, to + 1);
}

/** Writes a number as JSON.stringify does. */
export function writeNumber(value: f64, to: usize): usize {
  const positive = abs(value);
  if (positive == 0) return writeDigits(0, to);
  if (!(positive >= SMALLEST_SHORT && positive <= LARGEST_SHORT)) return writeLongNumber(value, to);
  let scale: f64 = 1;
  while (nearest(positive * scale) / scale != positive) {
    scale *= 10;
    if (scale > MOST_SCALE) return writeLongNumber(value, to);
  }
  if (value < 0) store<u8>(to++, MINUS);
  const scaled = <u64>nearest(positive * scale);
  const unit = <u64>scale;
  const whole = scaled / unit;
  to = writeDigits(whole, to);
  return unit == 1 ? to : writeDecimals(<u32>(scaled - whole * unit), <u32>unit, to);
}

/** Writes `part` of `unit`, which is a power of ten. */
function writeDecimals(part: u32, unit: u32, to: usize): usize {
  store<u8>(to++, POINT);
  for (unit /= 10; unit > 0; unit /= 10) {
    const digit = part / unit;
    store<u8>(to++, ZERO + <u8>digit);
    part -= digit * unit;
  }
  return to;
}
