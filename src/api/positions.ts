import type { CheckContext } from './connector.ts';
import type { Position } from './source.ts';

/** Where an operator wants a source to go on. `time` in milliseconds since the epoch: at what came then or later. */
export type PositionTarget =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'offset'; readonly offset: number };

export interface PositionRequest {
  readonly to: PositionTarget;
  /** In the words of the source, as `PositionTools.describe` gives them: a path, `topic/partition`. Null for all there is. */
  readonly place: string | null;
  /** What is saved of the source, by partition. */
  readonly saved: ReadonlyMap<string, Position>;
}

/** A position that is to be saved; null deletes what is saved of the partition. */
export interface PositionChange {
  readonly partition: string;
  readonly position: Position | null;
  /** What else has to be known of it, for people: "begins at the next line". */
  readonly note?: string;
}

export interface PositionPlan {
  readonly changes: readonly PositionChange[];
  /** What was asked for and has no position here, and why. */
  readonly left: readonly { readonly what: string; readonly why: string }[];
}

/** A position in the words of people. */
export interface PositionText {
  readonly place: string;
  /** Null where it is no number. */
  readonly offset: number | null;
}

/** For operators who move a source while it does not run. Nothing is saved by these: they say what would have to be. */
export interface PositionTools<Options> {
  /** Null when it is none of this source's. */
  describe(partition: string, position: Position): PositionText | null;
  /** Throws `OPTION_INVALID` for a target or a place that the source does not have. */
  plan(options: Options, request: PositionRequest, context: CheckContext): Promise<PositionPlan>;
  /** What shows that somebody reads this source's input in its name just now, for people; null when nothing does. */
  inUse?(options: Options, identity: SourceName, context: CheckContext): Promise<string | null>;
  /** The programs whose records of the same input `importFrom` reads. */
  readonly imports?: readonly string[];
  /** Throws `OPTION_INVALID` when what lies at the path are no such records. */
  importFrom?(options: Options, request: ImportRequest, context: CheckContext): Promise<PositionPlan>;
}

/** As in `ConnectorContext`. */
export interface SourceName {
  readonly group: string;
  readonly pipeline: string;
  readonly name: string;
}

export interface ImportRequest {
  /** One of `imports`. */
  readonly program: string;
  /** Absolute: a file, or a folder where the program keeps several. */
  readonly path: string;
  readonly saved: ReadonlyMap<string, Position>;
}
