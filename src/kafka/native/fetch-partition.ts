import { ReadingPartition } from '../common/reading-partition.ts';

export class FetchPartition extends ReadingPartition {
  /** The version that a fetch under way asks for; -1: none does. */
  inFlight = -1;
  /** Its last answer was empty: nothing more is expected at once. */
  isDrained = false;
  /** A broker said so: it is looked up before anything else is asked for. */
  isLeaderWrong = false;

  get wantsFetch(): boolean {
    return this.isFree && this.inFlight !== this.version;
  }

  override seek(offset: number): void {
    super.seek(offset);
    this.isDrained = false;
  }
}
