import type { Program, RunningProgram } from './process.ts';

/** What carries records on a path: Sluice, or a peer beside it. */
export type System<Task> = Daemon<Task> | Tool<Task>;

interface Named {
  /** As the table shows it, with the version if that matters: `kcat`, `kafkajs`. */
  readonly name: string;
  /** The codecs that it is measured with; all of the path by default. */
  readonly codecs?: readonly Codec[];
  /**
   * Roughly how many records a second it carries, when that is below half a million: it gets as many records as it carries in 25 s. Others get all records
   * of the run.
   */
  readonly recordsPerSecond?: number;
  /** Why this machine cannot run it, for the list below the table; null when it can. What it downloads or compiles, it does here. */
  missing(): Promise<string | null>;
}

/** Started before its input is there, and ended by SIGTERM once the target holds everything. */
export interface Daemon<Task> extends Named {
  readonly kind: 'daemon';
  /** Writes its settings and state below `task.folder`, which is empty and its own. */
  prepare(task: Task): Promise<Program>;
  /** Resolves when it waits for input (`running.until`). What it used until then is its start-up. */
  ready(task: Task, running: RunningProgram): Promise<void>;
}

/** Started on input that is there, it ends by itself with exit code 0. What it uses on an empty input is its start-up. */
export interface Tool<Task> extends Named {
  readonly kind: 'tool';
  prepare(task: Task): Promise<Program>;
}

export type Codec = 'lz4' | 'none';

interface KafkaTask {
  readonly folder: string;
  /** `host:port` of one broker. */
  readonly brokers: string;
  /** Exists, empty, with four partitions; writers use acks=all. */
  readonly topic: string;
  readonly codec: Codec;
  readonly records: number;
}

/** `file-kafka`: a record a line. */
export interface FileToKafka extends KafkaTask {
  /** The file that appears, whole, in an empty folder once a daemon is ready; tools find it. Its lines end in `\n`. */
  readonly input: string;
}

/** `http-kafka`, `http-kafka-single`: NDJSON bodies are posted to `http://127.0.0.1:PORT/`; an answer of 200 means that they are in the topic. */
export interface HttpToKafka extends KafkaTask {
  readonly port: number;
  readonly recordsPerBody: number;
}

/** `fluentd-kafka`, `-gzip`, `syslog-kafka`: a client writes to `127.0.0.1:PORT` as fast as it is read there. */
export interface StreamToKafka extends KafkaTask {
  readonly port: number;
}

/** `kafka-kafka`: the topic `from` holds all records already, in lz4. The name of `topic` ends with `.` and that of `from`, as some copiers want it. */
export interface KafkaToKafka extends KafkaTask {
  readonly from: string;
}

/** `kafka-elasticsearch`, `-daily` and `-real`: the topic holds all records already. Documents with ids, at most 5,000 in a request, 4 in flight. */
export interface KafkaToElasticsearch extends KafkaTask {
  /** `http://127.0.0.1:PORT` of the server. */
  readonly url: string;
  /** The index, or with `isDaily` what stands before the day (`-yyyy.MM.dd`). */
  readonly index: string;
  readonly isDaily: boolean;
}

/** `kafka-solr`: as `kafka-elasticsearch`. */
export interface KafkaToSolr extends KafkaTask {
  /** `http://127.0.0.1:PORT` of the server. */
  readonly url: string;
  readonly core: string;
}

/** `kafka-file`: the topic holds all records already. */
export interface KafkaToFile extends KafkaTask {
  /** An empty folder. */
  readonly output: string;
}

/** `kafka-all`: the topic holds all records already; `copy` is empty. */
export interface KafkaToAll extends KafkaToFile {
  readonly copy: string;
  /** `http://127.0.0.1:PORT` of the server. */
  readonly url: string;
}

/** `file-file`. */
export interface FileToFile {
  readonly folder: string;
  /** As that of `FileToKafka`. */
  readonly input: string;
  /** An empty folder; all lines have to be in files below it. */
  readonly output: string;
  readonly records: number;
}

/** Who takes part beside Sluice, by path; `peers/index.ts` holds the list. */
export interface Peers {
  readonly 'file-kafka': readonly System<FileToKafka>[];
  /** Both sizes of bodies; `http-kafka-single` compares with a server that answers at once. */
  readonly 'http-kafka': readonly System<HttpToKafka>[];
  readonly 'syslog-kafka': readonly System<StreamToKafka>[];
  /** With a server that answers at once; `-daily` too. */
  readonly 'kafka-elasticsearch': readonly System<KafkaToElasticsearch>[];
  readonly 'kafka-elasticsearch-real': readonly System<KafkaToElasticsearch>[];
  readonly 'kafka-kafka': readonly System<KafkaToKafka>[];
  readonly 'file-file': readonly System<FileToFile>[];
}
