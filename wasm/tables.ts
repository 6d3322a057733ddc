import { PAIRS_OF_DIGITS, SHORT_ESCAPES, SPREADS } from './memory';

const ZERO: usize = 0x30;
const BACKSLASH_HERE: u8 = 0x80;
const SPREAD_BYTES: usize = 8;

export function fillTables(): void {
  for (let number: usize = 0; number < 100; number++) {
    store<u8>(PAIRS_OF_DIGITS + 2 * number, <u8>(ZERO + number / 10));
    store<u8>(PAIRS_OF_DIGITS + 2 * number + 1, <u8>(ZERO + (number % 10)));
  }
  store<u8>(SHORT_ESCAPES + 0x08, 0x62); // \b
  store<u8>(SHORT_ESCAPES + 0x09, 0x74); // \t
  store<u8>(SHORT_ESCAPES + 0x0a, 0x6e); // \n
  store<u8>(SHORT_ESCAPES + 0x0c, 0x66); // \f
  store<u8>(SHORT_ESCAPES + 0x0d, 0x72); // \r
  for (let escaped: usize = 0; escaped < 256; escaped++) fillSpread(SPREADS + 16 * escaped, escaped);
}

function fillSpread(spread: usize, escaped: usize): void {
  let to = spread;
  for (let byte: usize = 0; byte < SPREAD_BYTES; byte++) {
    if ((escaped >> byte) & 1) store<u8>(to++, BACKSLASH_HERE);
    store<u8>(to++, <u8>byte);
  }
  while (to < spread + 16) store<u8>(to++, BACKSLASH_HERE);
}
