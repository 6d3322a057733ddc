/** Bytes of the UTF-8 character at `at`, which is no ASCII; 0 when there is none (RFC 3629, section 4). */
export function characterBytes(at: usize, end: usize): usize {
  const first = load<u8>(at);
  const length: usize = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || at + length > end) return 0;
  const second = load<u8>(at + 1);
  const lowest: u8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const highest: u8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let index: usize = 2; index < length; index++) if ((load<u8>(at + index) & 0xc0) != 0x80) return 0;
  return length;
}
