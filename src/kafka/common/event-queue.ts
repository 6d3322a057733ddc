import type { KafkaEvent } from '../client.ts';

export interface QueuedEvent {
  /** Called when the event is handed out. What it throws, whoever asked for the event is told. */
  readonly take: () => KafkaEvent;
  /** Called instead when it is not to be handed out any more. */
  readonly drop?: () => void;
}

/** What a reader has to say, in order, until somebody asks. */
export class EventQueue {
  readonly #events: QueuedEvent[] = [];
  #wake: (() => void) | null = null;
  #end: Error | null = null;

  push(event: QueuedEvent): void {
    if (this.#end !== null) {
      event.drop?.();
      return;
    }
    this.#events.push(event);
    this.#rouse();
  }

  /** Takes back an event that waits; false when it is gone already. */
  remove(event: QueuedEvent): boolean {
    const index = this.#events.indexOf(event);
    if (index === -1) return false;
    this.#events.splice(index, 1);
    event.drop?.();
    return true;
  }

  /** Null when the signal aborts. Rejects when the queue has ended. */
  async next(signal: AbortSignal): Promise<KafkaEvent | null> {
    const onAbort = (): void => {
      this.#rouse();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        if (this.#end !== null) throw this.#end;
        if (signal.aborted) return null;
        const event = this.#events.shift();
        if (event !== undefined) return event.take();
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** From now on everybody who asks is told so. What waits is dropped. */
  end(error: Error): void {
    if (this.#end !== null) return;
    this.#end = error;
    for (const event of this.#events.splice(0)) event.drop?.();
    this.#rouse();
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
