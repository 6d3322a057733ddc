// How the memory is divided. It never grows: what does not fit is done in JavaScript.

/** A 32-bit number: where the value ends that was read last. */
export const READ_UP_TO: usize = 0x400;
/** Digits of 0 to 99, two bytes each. */
export const PAIRS_OF_DIGITS: usize = 0x500;
/** Where the digits of a number are written from the last to the first, up to there. */
export const DIGITS_END: usize = 0x620;
/** By control character: the letter of its short escape, 0 where it has none. */
export const SHORT_ESCAPES: usize = 0x640;
/** A name that members of an object must not have. */
export const NAME: usize = 0x680;
export const NAME_BYTES: i32 = 0x80;
/** The closing byte of every open array and object. */
export const CLOSERS: usize = 0x700;
export const CLOSERS_BYTES: i32 = 0x800;
/** By which of eight bytes take a backslash before them: from where each of the sixteen bytes to write comes, 0x80 for a backslash. */
export const SPREADS: usize = 0x1000;
/** Names of members for words, and a vector behind them that may hold anything. */
export const NAMES: usize = 0x2000;
export const NAMES_BYTES: i32 = 0x400;
/** What is read: `WINDOW_BYTES` at most, and a vector behind them that may hold anything. */
export const WINDOW: usize = 0x1_0000;
export const WINDOW_BYTES: i32 = 0x1_0000;
/** What is written: no byte that is read becomes more than six, but for a few around a value. */
export const OUTPUT: usize = 0x2_0100;
