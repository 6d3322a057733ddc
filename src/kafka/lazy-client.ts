import { SluiceError } from '../api/index.ts';
import type { KafkaClient, KafkaEvent, KafkaMember, KafkaReader, MemberOptions, ReaderOptions } from './client.ts';

/** Stands for the driver's client, which is made at the first call: the packages of a driver that nobody uses are never loaded. */
export class LazyClient implements KafkaClient {
  readonly driver: KafkaClient['driver'];
  readonly #make: () => Promise<KafkaClient>;
  #client: Promise<KafkaClient> | null = null;
  #isClosed = false;

  constructor(driver: KafkaClient['driver'], make: () => Promise<KafkaClient>) {
    this.driver = driver;
    this.#make = make;
  }

  async features(...args: Parameters<KafkaClient['features']>): ReturnType<KafkaClient['features']> {
    return (await this.#get()).features(...args);
  }

  async cluster(...args: Parameters<KafkaClient['cluster']>): ReturnType<KafkaClient['cluster']> {
    return (await this.#get()).cluster(...args);
  }

  async topics(...args: Parameters<KafkaClient['topics']>): ReturnType<KafkaClient['topics']> {
    return (await this.#get()).topics(...args);
  }

  async offsets(...args: Parameters<KafkaClient['offsets']>): ReturnType<KafkaClient['offsets']> {
    return (await this.#get()).offsets(...args);
  }

  async createTopic(...args: Parameters<KafkaClient['createTopic']>): Promise<boolean> {
    return (await this.#get()).createTopic(...args);
  }

  async deleteTopic(...args: Parameters<KafkaClient['deleteTopic']>): Promise<void> {
    return (await this.#get()).deleteTopic(...args);
  }

  async deleteRecords(...args: Parameters<KafkaClient['deleteRecords']>): Promise<void> {
    return (await this.#get()).deleteRecords(...args);
  }

  async topicConfig(...args: Parameters<KafkaClient['topicConfig']>): ReturnType<KafkaClient['topicConfig']> {
    return (await this.#get()).topicConfig(...args);
  }

  async alterTopicConfig(...args: Parameters<KafkaClient['alterTopicConfig']>): Promise<void> {
    return (await this.#get()).alterTopicConfig(...args);
  }

  async groupOffsets(...args: Parameters<KafkaClient['groupOffsets']>): ReturnType<KafkaClient['groupOffsets']> {
    return (await this.#get()).groupOffsets(...args);
  }

  async describeGroup(...args: Parameters<KafkaClient['describeGroup']>): ReturnType<KafkaClient['describeGroup']> {
    return (await this.#get()).describeGroup(...args);
  }

  async setGroupOffsets(...args: Parameters<KafkaClient['setGroupOffsets']>): Promise<void> {
    return (await this.#get()).setGroupOffsets(...args);
  }

  async deleteGroup(...args: Parameters<KafkaClient['deleteGroup']>): Promise<void> {
    return (await this.#get()).deleteGroup(...args);
  }

  async openProducer(...args: Parameters<KafkaClient['openProducer']>): ReturnType<KafkaClient['openProducer']> {
    return (await this.#get()).openProducer(...args);
  }

  openReader(options: ReaderOptions): KafkaReader {
    return new LazyReader(this.#get().then((client) => client.openReader(options)));
  }

  joinGroup(options: MemberOptions): KafkaMember {
    return new LazyMember(this.#get().then((client) => client.joinGroup(options)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#client)?.close();
  }

  #get(): Promise<KafkaClient> {
    if (this.#isClosed) return Promise.reject(new SluiceError('KAFKA_CLOSED', 'using the Kafka client: it is closed'));
    this.#client ??= this.#make();
    return this.#client;
  }
}

/** Keeps what it is told until the driver's reader is there. */
class LazyReader<Reader extends KafkaReader = KafkaReader> implements KafkaReader {
  protected readonly made: Promise<Reader>;
  protected reader: Reader | null = null;
  readonly #told: ((reader: Reader) => void)[] = [];

  constructor(making: Promise<Reader>) {
    this.made = making.then((reader) => {
      this.reader = reader;
      for (const tell of this.#told) tell(reader);
      return reader;
    });
    // Rejections reach those who wait for an event.
    this.made.catch(() => undefined);
  }

  get waitingFor(): string | null {
    return this.reader?.waitingFor ?? null;
  }

  async next(signal: AbortSignal): Promise<KafkaEvent | null> {
    return (this.reader ?? (await this.made)).next(signal);
  }

  seek(topic: string, partition: number, offset: number): void {
    this.#tell((reader) => {
      reader.seek(topic, partition, offset);
    });
  }

  pause(topic: string, partition: number): void {
    this.#tell((reader) => {
      reader.pause(topic, partition);
    });
  }

  resume(topic: string, partition: number): void {
    this.#tell((reader) => {
      reader.resume(topic, partition);
    });
  }

  end(topic: string, partition: number): number {
    return this.reader?.end(topic, partition) ?? 0;
  }

  async close(): Promise<void> {
    await (await this.made.catch(() => null))?.close();
  }

  #tell(tell: (reader: Reader) => void): void {
    if (this.reader === null) this.#told.push(tell);
    else tell(this.reader);
  }
}

class LazyMember extends LazyReader<KafkaMember> implements KafkaMember {
  get generation(): KafkaMember['generation'] {
    return this.reader?.generation ?? null;
  }

  generationOf(...args: Parameters<KafkaMember['generationOf']>): ReturnType<KafkaMember['generationOf']> {
    return this.reader?.generationOf(...args) ?? null;
  }

  async commit(...args: Parameters<KafkaMember['commit']>): Promise<void> {
    return (this.reader ?? (await this.made)).commit(...args);
  }
}
