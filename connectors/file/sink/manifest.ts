import { SluiceError, type TopicPartition } from 'sluice/api';

/** Below the sink's folder: temps and manifests. */
export const STATE_FOLDER = '.sluice-files';

/**
 * The commit of a file sink: records `[first, next)` of a partition are in `files`. It is linked under its sequence, so that of two writers
 * only one can be the next.
 */
export interface Manifest {
  readonly version: 1;
  readonly sequence: number;
  /** The operator's resets of the offset that had been obeyed. */
  readonly reset: number;
  readonly first: number;
  readonly next: number;
  readonly files: readonly ManifestFile[];
}

export interface ManifestFile {
  /** Relative to the sink's folder. */
  readonly path: string;
  /** Its name in the state folder until it is published. */
  readonly temp: string;
  readonly length: number;
  readonly crc32: number;
}

const SEQUENCE_DIGITS = 9;

/** `topic+incarnation+partition+`: what all names of a partition begin with. */
export function partitionPrefix({ topic, incarnation, partition }: TopicPartition): string {
  return `${topic}+${incarnation}+${partition}+`;
}

/** The name of a manifest, and without an ending of the files that it publishes. */
export function sequenceName(partition: TopicPartition, sequence: number): string {
  return `${partitionPrefix(partition)}${String(sequence).padStart(SEQUENCE_DIGITS, '0')}`;
}

/** `…+sequence+number+hub.temp`; the hub's id tells whose leftover it is. */
export function tempName(partition: TopicPartition, sequence: number, number: number, hubId: string): string {
  return `${sequenceName(partition, sequence)}+${number}+${hubId.replace(/[^\w.-]/g, '_')}.temp`;
}

/** The sequence that the name of a manifest of this partition ends with; null for any other name. */
export function sequenceOf(name: string, prefix: string): number | null {
  if (!name.startsWith(prefix)) return null;
  const rest = name.slice(prefix.length);
  return /^\d{1,15}$/.test(rest) ? Number(rest) : null;
}

export function isTempOf(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && name.endsWith('.temp');
}

export function encodeManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest)}\n`);
}

/** Throws `SINK_BLOCKED`: it was written whole, so somebody else has changed it, and only a person knows what is published. */
export function decodeManifest(bytes: Buffer, path: string): Manifest {
  try {
    const manifest = JSON.parse(bytes.toString()) as Partial<Manifest>;
    if (isManifest(manifest)) return manifest;
  } catch {
    // Said below.
  }
  throw new SluiceError(
    'SINK_BLOCKED',
    `reading manifest "${path}": it is damaged; restore it, or move it away and check the files of its partition`,
  );
}

function isManifest(manifest: Partial<Manifest>): manifest is Manifest {
  const { version, sequence, reset, first, next, files } = manifest;
  if (version !== 1 || ![sequence, reset, first, next].every(isCount) || !Array.isArray(files)) return false;
  return (files as readonly Partial<ManifestFile>[]).every(
    ({ path, temp, length, crc32 }) =>
      typeof path === 'string' &&
      isInside(path) &&
      typeof temp === 'string' &&
      /^[^/\0]+\.temp$/.test(temp) &&
      isCount(length) &&
      isCount(crc32),
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Does a relative path stay below the folder it is relative to, in parts that a file system takes? Hidden parts are kept for ourselves. */
export function isInside(path: string): boolean {
  if (path.includes('\0') || path.length > 2048) return false;
  return path.split('/').every((part) => part !== '' && !part.startsWith('.') && Buffer.byteLength(part) <= 255);
}
