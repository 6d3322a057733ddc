import type { Metrics } from '../api/index.ts';
import { METRIC } from '../telemetry/index.ts';
import type { ConnectionTable } from './connections.ts';

/** Why something was turned away, as the metric's label says it. */
export type TurnedAway = 'no_room' | 'evicted' | 'tls' | 'address' | 'origin' | 'client' | 'credentials' | 'signature';

/** Adds up what a listener does, and tells it once a second: nothing is counted per record. */
export class ListenerMeter {
  readonly #metrics: Metrics;
  readonly #table: ConnectionTable;
  readonly #heldBytes: () => number;
  readonly #turnedAway = new Map<TurnedAway, number>();
  /** By the first digit of the status. */
  readonly #requests = new Uint32Array(6);
  #requestMs = 0;
  #accepted = 0;
  #received = 0;

  constructor(metrics: Metrics, table: ConnectionTable, heldBytes: () => number = () => 0) {
    this.#metrics = metrics;
    this.#table = table;
    this.#heldBytes = heldBytes;
  }

  turnedAway(reason: TurnedAway, count = 1): void {
    this.#turnedAway.set(reason, (this.#turnedAway.get(reason) ?? 0) + count);
  }

  answered(status: number, elapsedMs: number): void {
    const group = Math.floor(status / 100);
    if (group < this.#requests.length) this.#requests[group]!++;
    this.#requestMs += elapsedMs;
  }

  publish(): void {
    const [metrics, { size, accepted, receivedBytes }] = [this.#metrics, this.#table];
    metrics.gauge(METRIC.listenerConnections.name, size);
    metrics.gauge(METRIC.listenerHeld.name, this.#heldBytes());
    metrics.count(METRIC.listenerAccepted.name, accepted - this.#accepted);
    metrics.count(METRIC.listenerBytes.name, receivedBytes - this.#received);
    [this.#accepted, this.#received] = [accepted, receivedBytes];
    for (const [reason, count] of this.#table.takeTurnedAway()) this.turnedAway(reason, count);
    for (const [reason, count] of this.#turnedAway) metrics.count(METRIC.listenerTurnedAway.name, count, { reason });
    this.#turnedAway.clear();
    for (const [group, count] of this.#requests.entries())
      if (count > 0) metrics.count(METRIC.listenerRequests.name, count, { status: `${group}xx` });
    if (this.#requestMs > 0) metrics.count(METRIC.listenerSeconds.name, this.#requestMs / 1000);
    this.#requests.fill(0);
    this.#requestMs = 0;
  }
}
