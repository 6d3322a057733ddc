/** A Ctrl-C under npm arrives twice: from the terminal, and passed on by npm. That is one request. */
const SAME_REQUEST_MS = 300;

/** Calls `onFirst` for the first SIGINT or SIGTERM, `onSecond` for the next one. Returns what ends the listening. */
export function listenForSignals(handlers: {
  readonly monotonic: () => number;
  readonly onFirst: (signal: NodeJS.Signals) => void;
  readonly onSecond: () => void;
}): () => void {
  let firstAt: number | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = handlers.monotonic();
    if (firstAt === null) {
      firstAt = now;
      handlers.onFirst(signal);
    } else if (now - firstAt >= SAME_REQUEST_MS) handlers.onSecond();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
  };
}
