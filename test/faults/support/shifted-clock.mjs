/** Loaded before the hub: its wall clock goes by the seconds that the file `SHIFTED_CLOCK` holds at the time. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setInterval } from 'node:timers';

const RealDate = Date;
let shiftMs = 0;
setInterval(() => {
  shiftMs = 1000 * Number(readFileSync(process.env.SHIFTED_CLOCK, 'utf8'));
}, 20).unref();

class ShiftedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(ShiftedDate.now());
    else super(...parts);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }
}
globalThis.Date = ShiftedDate;
