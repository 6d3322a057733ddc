import { mkdir, open } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { describeError } from '../../api/index.ts';
import type { Change } from './changes.ts';

const NAME = 'offsets-audit.jsonl';

export interface AuditEntry {
  readonly command: string;
  readonly changes: readonly Pick<Change, 'entry' | 'from'>[];
}

/**
 * Carries out changes between two lines of the audit log in the data folder: one before, so that nothing is ever changed without a trace, and one with
 * how it ended.
 */
export async function audited(dataDir: string, entry: AuditEntry, change: () => Promise<void>): Promise<void> {
  const by = {
    at: new Date().toISOString(),
    by: userName(),
    host: hostname(),
    pid: process.pid,
    command: entry.command,
  };
  const changes = entry.changes.map(({ entry: { position, ...leg }, from }) => ({ ...leg, from, to: position }));
  await append(dataDir, { ...by, event: 'begun', changes });
  try {
    await change();
  } catch (error) {
    await append(dataDir, { ...by, at: new Date().toISOString(), event: 'failed', error: describeError(error) });
    throw error;
  }
  await append(dataDir, { ...by, at: new Date().toISOString(), event: 'done' });
}

async function append(dataDir: string, line: object): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = await open(join(dataDir, NAME), 'a', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(line)}\n`);
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
