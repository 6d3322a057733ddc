import { describeError, type Clock, type Logger } from '../../api/index.ts';
import { isSluiceError } from '../as-sluice-error.ts';
import { BLOCK_MS, type Trouble } from '../delivery.ts';
import { retryDelay, type RetryBounds } from '../retry.ts';

/** A throw that is no SluiceError is a bug: so often it may pass, then an operator is asked for. */
const BUG_PATIENCE = 3;

interface PatientCallsOptions {
  readonly retry: RetryBounds;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly onTrouble: (trouble: Trouble | null) => void;
}

/** Makes calls of a sink of jobs until they are answered, and shows why it has to wait. */
export class PatientCalls {
  readonly #options: PatientCallsOptions;
  #hasten = new AbortController();

  constructor(options: PatientCallsOptions) {
    this.#options = options;
  }

  /** Whoever waits tries again at once. */
  hasten(): void {
    this.#hasten.abort();
    this.#hasten = new AbortController();
  }

  /** Rejects only with the signal's reason. `before`: made before each further attempt; what it gives ends the attempts. */
  async call<R>(make: () => Promise<R>, signal: AbortSignal, before?: () => Promise<R | null>): Promise<R> {
    const { log, onTrouble } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        const known = attempt > 1 ? ((await before?.()) ?? null) : null;
        const answer = known ?? (await make());
        if (attempt > 1) onTrouble(null);
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        const needsOperator = isSluiceError(error) ? !error.retryable : attempt >= BUG_PATIENCE;
        const reason = describeError(error);
        const delayMs = needsOperator ? BLOCK_MS : this.delay(attempt);
        log.warn({ attempt, delayMs, cause: reason }, 'job sink unavailable, retrying');
        await this.wait(delayMs, { state: needsOperator ? 'paused' : 'degraded', reason }, signal);
      }
    }
  }

  /** After so many failures in a row. */
  delay(failures: number): number {
    const { retry, random } = this.#options;
    return retryDelay(failures, { ...retry, random });
  }

  /** Shows why it waits; `hasten` ends it. The trouble stays until another is shown. */
  async wait(delayMs: number, trouble: Trouble, signal: AbortSignal): Promise<void> {
    const { clock, onTrouble } = this.#options;
    const hasten = this.#hasten.signal;
    onTrouble(trouble);
    await clock.sleep(delayMs, AbortSignal.any([signal, hasten])).catch((error: unknown) => {
      if (!hasten.aborted) throw error;
    });
    signal.throwIfAborted();
  }

  /** Waits until `hasten`. */
  async hold(reason: string, signal: AbortSignal): Promise<void> {
    const hasten = this.#hasten.signal;
    while (!hasten.aborted) await this.wait(BLOCK_MS, { state: 'paused', reason }, signal);
  }

  show(trouble: Trouble): void {
    this.#options.onTrouble(trouble);
  }

  clear(): void {
    this.#options.onTrouble(null);
  }
}
