import type { Position, SourceFence } from '../../api/index.ts';
import type { CommitRequest, PositionClaim } from '../topic-log.ts';
import type { SourceKeys } from './source-keys.ts';
import type { TransactionLine } from './transaction-line.ts';

export interface ExactSourceOptions {
  readonly keys: SourceKeys;
  /** `partition`: of the source, which the transactions of the line are about; null: they are about all. */
  readonly createLine: (partition: string | null, fence: () => SourceFence | null) => TransactionLine;
  /** The id of the cluster that the topic is on. */
  readonly cluster: () => Promise<string>;
  readonly signal: AbortSignal;
}

/**
 * A source whose records, positions and dead letters are written in transactions. One that shares its partitions through a consumer group of the same
 * cluster commits the group's offsets with them, so that the group's generation fences it. The group of another cluster cannot do that: there
 * each partition has a transactional id of its own, which whoever gets the partition takes over.
 */
export class ExactSource {
  readonly #options: ExactSourceOptions;
  readonly #whole: TransactionLine;
  readonly #apart = new Map<string, TransactionLine>();
  #fence: SourceFence | null = null;
  #isApart = false;

  constructor(options: ExactSourceOptions) {
    this.#options = options;
    this.#whole = options.createLine(null, () => this.#fence);
  }

  commit(request: CommitRequest): Promise<void> {
    if (!this.#isApart) return this.#whole.commit(request);
    const [partition, ...others] = new Set(request.positions?.map(([, name]) => name));
    const line = partition === undefined || others.length > 0 ? undefined : this.#apart.get(partition);
    if (line !== undefined) return line.commit(request);
    return Promise.reject(
      new Error('a source with partitions of another cluster’s group commits one of them at a time'),
    );
  }

  async positions(claim?: PositionClaim): Promise<ReadonlyMap<string, Position>> {
    const { keys, signal } = this.#options;
    const lines = claim === undefined ? this.#lines : await this.#claim(claim);
    const takeOvers = await Promise.all(lines.map((line) => line.takeOver(claim !== undefined && this.#isApart)));
    const saved = await keys.read(signal);
    for (const goOn of takeOvers) goOn(saved);
    return saved;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.settled()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.close()));
  }

  get #lines(): readonly TransactionLine[] {
    return this.#isApart ? [...this.#apart.values()] : [this.#whole];
  }

  async #claim({ partitions, fence }: PositionClaim): Promise<readonly TransactionLine[]> {
    this.#isApart = fence.cluster !== (await this.#options.cluster());
    this.#fence = this.#isApart ? null : fence;
    if (!this.#isApart) return [this.#whole];
    return partitions.map((partition) => {
      let line = this.#apart.get(partition);
      if (line === undefined) {
        line = this.#options.createLine(partition, () => null);
        this.#apart.set(partition, line);
      }
      return line;
    });
  }
}
