import { createEntryLogger, realClock, type LogEntry } from '../../../src/telemetry/index.ts';
import type { Logger } from '../../../src/api/index.ts';

/** A logger that keeps what it is told. */
export function collectedLog(): { readonly log: Logger; readonly entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  const log = createEntryLogger({ level: 'debug', clock: realClock, write: (entry) => entries.push(entry) });
  return { log, entries };
}
