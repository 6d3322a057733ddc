import { ReadingPartition } from '../common/reading-partition.ts';

export class ReadPartition extends ReadingPartition {
  isInFlight = false;

  get wantsFetch(): boolean {
    return this.isFree && !this.isInFlight;
  }
}
