import { Notice } from './notice.ts';

/** Closed while a leg is paused. */
export class Gate {
  readonly #notice = new Notice();
  #isOpen = true;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
  }

  open(): void {
    this.#isOpen = true;
    this.#notice.notify();
  }

  /** Waits until it is open. Rejects with the signal's reason when that aborts. */
  passed(signal: AbortSignal): Promise<void> {
    return this.#notice.until(() => this.#isOpen, signal);
  }
}
