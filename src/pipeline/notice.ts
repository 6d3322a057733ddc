interface Waiter {
  readonly resolve: () => void;
}

/** Wakes those that wait for something to have changed. */
export class Notice {
  readonly #waiters = new Set<Waiter>();

  notify(): void {
    if (this.#waiters.size === 0) return;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const { resolve } of waiters) resolve();
  }

  /** Resolves once `holds` is true, looked at now and after every change. Rejects with the signal's reason when that aborts first. */
  async until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    const onAbort = (): void => {
      this.notify();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!holds()) {
        signal.throwIfAborted();
        await new Promise<void>((resolve) => this.#waiters.add({ resolve }));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
