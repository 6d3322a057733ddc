import { SluiceError, type Json } from '../../../../src/api/index.ts';
import { createEntryLogger, realClock } from '../../../../src/telemetry/index.ts';
import { definitions, sinkOptions, type System } from './sink.ts';

/** What `validate --connect` says of these options: `fine`, or code and message. */
export async function checked(written: Record<string, Json>, system: System = 'elasticsearch'): Promise<string> {
  const log = createEntryLogger({ level: 'error', clock: realClock, write: () => undefined });
  try {
    await definitions[system].check!(sinkOptions(written, system), {
      log,
      clock: realClock,
      outbound: { deny: [], allow: [] },
      signal: AbortSignal.timeout(10_000),
    });
    return 'fine';
  } catch (error) {
    if (error instanceof SluiceError) return `${error.code} ${error.message}`;
    throw error;
  }
}
