import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../../connectors/kafka/support/cluster.ts';
import { ownServer, type OwnServer } from '../../support/servers.ts';

/** Three brokers of a test's own, of which it takes one away now and then. */
export class ThreeBrokers {
  readonly cluster: Cluster;
  readonly #server: OwnServer<'kafka-cluster'>;

  private constructor(server: OwnServer<'kafka-cluster'>) {
    this.#server = server;
    this.cluster = new Cluster(server.where.brokers);
  }

  static async start(): Promise<ThreeBrokers> {
    return new ThreeBrokers(await ownServer('kafka-cluster'));
  }

  get brokers(): string {
    return this.#server.where.brokers;
  }

  async close(): Promise<void> {
    await this.cluster.close();
    await this.#server.down();
  }

  async topic(
    name: string,
    { replicas = 3, inSync = 2, partitions = 1 }: { replicas?: number; inSync?: number; partitions?: number },
  ): Promise<void> {
    // Records with times of years ago are to stay.
    const config = { 'min.insync.replicas': `${inSync}`, 'retention.ms': '-1' };
    await this.cluster.client.createTopic({ name, partitions, replicationFactor: replicas, config });
  }

  /** By partition; -1 where there is none. */
  async leadersOf(name: string): Promise<number[]> {
    const [found] = await this.cluster.client.topics([name]);
    return found!.partitions.map(({ leader }) => leader);
  }

  /** Of the first partition. */
  async leaderOf(name: string): Promise<number> {
    return (await this.leadersOf(name))[0]!;
  }

  /** Kills the leader of the first partition, and has it back afterwards. */
  async withoutLeaderOf(name: string, work: () => Promise<void>): Promise<void> {
    const broker = `broker-${await this.leaderOf(name)}`;
    await this.#server.kill(broker);
    try {
      await work();
    } finally {
      await this.#server.startAgain(broker);
    }
  }

  /** Once the cluster knows it of all of them: it marks one after the other. */
  async untilLeaderless(name: string, partitions: readonly number[]): Promise<void> {
    for (;;) {
      const leaders = await this.leadersOf(name);
      if (partitions.every((partition) => leaders[partition] === -1)) return;
      await sleep(50);
    }
  }
}
