/** Writes a number as JSON does, where that takes more than a few decimals, and returns where it ends. */
export declare function writeLongNumber(value: f64, to: usize): usize;
