import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as whole from '@platformatic/kafka';

type Package = typeof whole;

// By their files: the entry of the package loads its clients, its schema registries and their compilers as well, which takes half as much time again as the rest
// of a hub's start, and 6 MB in each worker. Its version is pinned.
const require = createRequire(import.meta.url);
const folder = dirname(require.resolve('@platformatic/kafka'));
const part = (file: string): Package => require(join(folder, file)) as Package;

/** `kafka.metadataV12.api` and the like. */
export const kafka = part('apis/index.js');
export const { createAPI } = kafka;
export const { Reader } = part('protocol/reader.js');
export const { Writer } = part('protocol/writer.js');
export const { protocolAPIsById, protocolAPIsByName } = part('protocol/apis.js');
export const { MultipleErrors, ResponseError } = part('errors.js');
export const {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  decodeCooperativeStickyGeneration,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} = part('clients/consumer/consumer-protocol.js');

export type Reader = whole.Reader;
export type Writer = whole.Writer;
export type ResponseError = whole.ResponseError;
export type { API, Connection } from '@platformatic/kafka';
