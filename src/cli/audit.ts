import { mkdir, open } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { describeError } from '../api/index.ts';

export interface AuditEntry {
  readonly command: string;
  /** What it is about, with names of its own. */
  readonly what: object;
}

/** A log of changes that operators ordered: a file of the data folder, one JSON object a line. */
export interface AuditLog {
  readonly dataDir: string;
  readonly name: 'offsets-audit.jsonl' | 'dlq-audit.jsonl';
}

/** Carries out changes between two lines of an audit log: one before, so that nothing is ever changed without a trace, and one with how it ended. */
export async function audited(
  log: AuditLog,
  { command, what }: AuditEntry,
  change: () => Promise<void>,
): Promise<void> {
  const by = { by: userName(), host: hostname(), pid: process.pid, command };
  await append(log, { ...by, event: 'begun', ...what });
  try {
    await change();
  } catch (error) {
    await append(log, { ...by, event: 'failed', error: describeError(error) });
    throw error;
  }
  await append(log, { ...by, event: 'done' });
}

async function append({ dataDir, name }: AuditLog, line: object): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = await open(join(dataDir, name), 'a', 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Containers run under numbers that nobody has named. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
