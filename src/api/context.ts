import type { OutboundRules } from './outbound.ts';

/** A plain JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Fields first, a constant message second; never per record. WARN: recovered, nothing lost. ERROR: an operator must act. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

/** What a connector may count. Names come from the catalogue (`src/telemetry/catalogue.ts`); labels of pipeline and connector are bound. */
export interface Metrics {
  count(name: string, amount: number, labels?: Readonly<Record<string, string>>): void;
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}

/** No component reads the real time itself. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds from an arbitrary start that never goes back. */
  monotonic(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface ConnectorContext {
  readonly pipeline: string;
  /** The connector's name in its pipeline. */
  readonly name: string;
  /** Made once in the data folder; tells this hub from others. */
  readonly hubId: string;
  /** Hubs of the same group share the work through Kafka. */
  readonly group: string;
  /** Already bound to pipeline and connector. */
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Where the hub lets connectors connect to. */
  readonly outbound: OutboundRules;
  /** Aborted when the leg has to end. */
  readonly signal: AbortSignal;
  /**
   * For connectors that wait for the outside by themselves: the leg shows as degraded for this reason ("broker kafka-1:9092 refuses connections") until null is said.
   */
  waiting(reason: string | null): void;
}
