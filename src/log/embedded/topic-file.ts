import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';
import { readWhole, replaceFile } from './files.ts';
import { corruption, isMissing } from './log-errors.ts';
import { isSafeName, topicFolder } from './paths.ts';

const NAME = 'topic.json';

/** The identity of a topic, in its folder. */
export interface TopicFile {
  readonly version: 1;
  readonly name: string;
  /** A UUID. */
  readonly id: string;
  readonly partitions: number;
  /** The pipeline whose journal holds the ends. */
  readonly owner: string;
}

export function topicFilePath(dataDir: string, name: string): string {
  return join(topicFolder(dataDir, name), NAME);
}

export function newTopicId(): string {
  return randomUUID();
}

/** The first 48 bits of the id in base64url: what record ids hold of it. */
export function incarnationOf(id: string): string {
  return Buffer.from(id.replaceAll('-', '').slice(0, 12), 'hex').toString('base64url');
}

/** Null when there is none. Throws `LOG_CORRUPT`. */
export async function readTopicFile(fileSystem: FileSystem, dataDir: string, name: string): Promise<TopicFile | null> {
  const path = topicFilePath(dataDir, name);
  let content: unknown;
  try {
    content = JSON.parse((await readWhole(fileSystem, path)).toString('utf8'));
  } catch (error) {
    if (isMissing(error)) return null;
    throw corruption(`"${path}"`, 'it cannot be read', error);
  }
  if (!isTopicFile(content) || content.name !== name) throw corruption(`"${path}"`, 'it is not the file of this topic');
  return content;
}

export async function writeTopicFile(fileSystem: FileSystem, dataDir: string, topic: TopicFile): Promise<void> {
  await replaceFile(fileSystem, topicFilePath(dataDir, topic.name), Buffer.from(`${JSON.stringify(topic, null, 2)}\n`));
}

function isTopicFile(content: unknown): content is TopicFile {
  if (typeof content !== 'object' || content === null) return false;
  const { version, name, id, partitions, owner } = content as Partial<TopicFile>;
  const isId = typeof id === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
  return version === 1 && typeof name === 'string' && isId && Number.isInteger(partitions) && isSafeName(owner);
}
