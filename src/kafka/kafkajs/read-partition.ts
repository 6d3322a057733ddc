import { ReadingPartition } from '../shared/reading-partition.ts';

export class ReadPartition extends ReadingPartition {
  isInFlight = false;

  get wantsFetch(): boolean {
    return this.isFree && !this.isInFlight;
  }
}
