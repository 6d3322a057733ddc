import type { FencedOffsets, Position, SourceFence } from 'sluice/api';
import type { KafkaMember } from 'sluice/kafka';
import { savedPosition } from './start-offsets.ts';

/** Ties what is committed to the generation of this member: partitions that the group gave to others can no longer be committed. */
export class MemberFence implements SourceFence {
  readonly cluster: string;
  readonly #member: Pick<KafkaMember, 'generationOf'>;

  constructor(cluster: string, member: Pick<KafkaMember, 'generationOf'>) {
    this.cluster = cluster;
    this.#member = member;
  }

  offsetsOf(positions: readonly (readonly [partition: string, position: Position])[]): FencedOffsets | null {
    const offsets = positions.map(([key, position]) => {
      const at = key.lastIndexOf('/');
      const next = savedPosition(position, key)!.offset;
      return { topic: key.slice(0, at), partition: Number(key.slice(at + 1)), next };
    });
    const generation = this.#member.generationOf(offsets);
    return generation === null ? null : { ...generation, offsets };
  }
}
