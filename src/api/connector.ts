import type { Static, TObject } from '@sinclair/typebox';
import type { ConnectorContext } from './context.ts';
import type { JobPolicy, JobSink, JobSinkContext } from './job-sink.ts';
import type { PositionTools } from './positions.ts';
import type { Sink, SinkContext } from './sink.ts';
import type { Source } from './source.ts';

export type Stability = 'experimental' | 'stable' | 'deprecated';

/** What `check` may know: no pipeline runs yet. */
export type CheckContext = Pick<ConnectorContext, 'log' | 'clock' | 'signal' | 'outbound'>;

interface Definition<Options extends TObject> {
  /** `lower_snake_case`, a noun of the system. */
  readonly name: string;
  /** One sentence with a full stop. */
  readonly summary: string;
  readonly stability: Stability;
  /** The one place an option is named, typed, described and defaulted. `additionalProperties` must be false. */
  readonly options: Options;
  readonly examples: readonly { readonly title: string; readonly options: object }[];
  /**
   * What the schema cannot say, as problems with the option's path (`['tls', 'key']`): pure and fast, without input or output. Called with
   * references unresolved (strings such as `${env:X}`), durations and sizes as numbers.
   */
  validate?(options: Static<Options>): readonly OptionProblem[];
  /** Throws when the outside system would refuse us. Run by `validate --connect`. */
  check?(options: Static<Options>, context: CheckContext): Promise<void>;
  /** Host:port pairs and folders that two connectors may not share: `listen 127.0.0.1:8080`, `folder out`. Found as conflicts before the start. */
  resources?(options: Static<Options>): readonly string[];
}

export interface OptionProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface SourceDefinition<Options extends TObject = TObject> extends Definition<Options> {
  readonly kind: 'source';
  /** Can its input be read again from a position? Then it is exact on the embedded log and may ask for `exactly_once`. */
  readonly rewinds: boolean;
  /** Where it runs when hubs share a group: `host` (files), `every` (listeners), `once` (a database poll), `group` (Kafka: partitions by a consumer group). */
  readonly placement: 'host' | 'every' | 'once' | 'group';
  /** Does the input end by itself, or with `run --once`? Listeners do not and are not started by `--once`. */
  readonly ends: boolean;
  /** How a client's repeats are kept out; unset when the source knows no ids. */
  readonly dedupe?: { readonly windowMs: number; readonly maxIds: number };
  /** For `sluice offsets`: loaded when it is asked for. Unset: positions can only be forgotten, and put back as they were. */
  positions?(): Promise<PositionTools<Static<Options>>>;
  create(options: Static<Options>): Promise<Source>;
}

export interface SinkDefinition<Options extends TObject = TObject> extends Definition<Options> {
  readonly kind: 'sink';
  readonly takes?: 'records';
  /** `partition`: records of a partition are written one batch after the other. `none`: writes of one partition may overlap (deterministic ids). */
  readonly order: 'none' | 'partition';
  /** True when these options need the order of a partition although `order` is `none`. Called as `validate` is. */
  needsOrder?(options: Static<Options>): boolean;
  /**
   * True when what the target holds hangs on the offsets of this incarnation of the topic and on its number of partitions (versions that are offsets, say): the
   * sink stops when one of them changed, instead of going on with offsets that mean something else. Called as `validate` is.
   */
  tiedToTopic?(options: Static<Options>): boolean;
  /** Takes stored batches as they are (`RecordBatch.sealed`): they are opened only when something else looks into a record. `batch` does not limit them. */
  readonly sealed?: boolean;
  /** The promise of the leg in one word, for `plan`. */
  readonly promise: 'at-least-once' | 'effectively-once' | 'exactly-once';
  /** Where the promise ends, one line each, for `plan`. */
  holes?(options: Static<Options>): readonly string[];
  create(options: Static<Options>, context: SinkContext): Promise<Sink>;
}

/** A sink that takes ranges of offsets: a batch engine. */
export interface JobSinkDefinition<Options extends TObject = TObject> extends Definition<Options> {
  readonly kind: 'sink';
  readonly takes: 'ranges';
  /** The promise of the leg if the job keeps its contract, for `plan`. */
  readonly promise: SinkDefinition['promise'];
  /** Where the promise ends, one line each, for `plan`. */
  holes?(options: Static<Options>): readonly string[];
  /** Pure. Called as `create` is, and before the start as `validate` is. */
  policy(options: Static<Options>): JobPolicy;
  create(options: Static<Options>, context: JobSinkContext): Promise<JobSink>;
}

export type ConnectorDefinition = SourceDefinition | SinkDefinition | JobSinkDefinition;

export function defineSource<Options extends TObject>(
  definition: Omit<SourceDefinition<Options>, 'kind'>,
): SourceDefinition<Options> {
  return { kind: 'source', ...definition };
}

export function defineSink<Options extends TObject>(
  definition: Omit<SinkDefinition<Options>, 'kind'>,
): SinkDefinition<Options> {
  return { kind: 'sink', ...definition };
}

export function defineJobSink<Options extends TObject>(
  definition: Omit<JobSinkDefinition<Options>, 'kind' | 'takes'>,
): JobSinkDefinition<Options> {
  return { kind: 'sink', takes: 'ranges', ...definition };
}
