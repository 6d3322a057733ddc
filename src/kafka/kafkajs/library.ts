import type { Compression } from '../../record/index.ts';
import { sharedCompressor } from '../../record/index.ts';

/**
 * What the driver takes of kafkajs: its connections (TLS, SASL, versions) and its encodings of requests and answers. The producer, consumer and cluster above
 * them are not used: they lose records when a leader moves during a send, change timestamps and order of headers, and hang on silent peers.
 */
export type Library = Awaited<ReturnType<typeof importLibrary>>;

let loading: Promise<Library> | undefined;

/** On first use, so that a hub without this driver never loads it. */
export function loadLibrary(): Promise<Library> {
  return (loading ??= importLibrary());
}

async function importLibrary() {
  const [connection, requests, apiKeys, encoder, decoder, messageSet, compression, assigner] = await Promise.all([
    import('kafkajs/src/network/connection.js'),
    import('kafkajs/src/protocol/requests/index.js'),
    import('kafkajs/src/protocol/requests/apiKeys.js'),
    import('kafkajs/src/protocol/encoder.js'),
    import('kafkajs/src/protocol/decoder.js'),
    import('kafkajs/src/protocol/messageSet/decoder.js'),
    import('kafkajs/src/protocol/message/compression/index.js'),
    import('kafkajs/src/consumer/assignerProtocol.js'),
  ]);
  addCodecs(compression.Codecs);
  return {
    Connection: connection.default,
    requests: requests.requests,
    apiKeys: apiKeys.default,
    Encoder: encoder.default,
    Decoder: decoder.default,
    decodeMessageSet: messageSet.default,
    MemberMetadata: assigner.MemberMetadata,
    MemberAssignment: assigner.MemberAssignment,
  };
}

/** kafkajs brings gzip only. Record batches never reach its codecs; message sets of brokers before 0.11 do. */
function addCodecs(codecs: (typeof import('kafkajs/src/protocol/message/compression/index.js'))['Codecs']): void {
  const own: readonly (readonly [number, Compression])[] = [
    [1, 'gzip'],
    [2, 'snappy'],
    [3, 'lz4'],
    [4, 'zstd'],
  ];
  for (const [type, name] of own) {
    codecs[type] = () => ({
      compress: (encoder) => Promise.resolve(compress(name, encoder.buffer)),
      decompress: (bytes) => Promise.resolve(sharedCompressor().decompress(name, bytes)),
    });
  }
}

function compress(compression: Compression, bytes: Buffer): Buffer {
  // What no codec makes smaller grows by its frame.
  const out = Buffer.allocUnsafe(2 * bytes.length + 1024);
  return out.subarray(0, sharedCompressor().compress(compression, bytes, out, 0));
}
