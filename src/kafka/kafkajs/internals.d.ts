/** The protocol layer of kafkajs 2.2.4, as far as the driver uses it: modules that the package ships without types. A test holds that they are as written here. */

declare module 'kafkajs/src/network/connection.js' {
  import type { Socket } from 'node:net';
  import type { ConnectionOptions } from 'node:tls';
  import type { KafkajsRequest, KafkajsResponse } from 'kafkajs/src/protocol/requests/index.js';
  import type { KafkajsVersions } from 'kafkajs/src/protocol/requests/index.js';

  export interface KafkajsLogger {
    namespace(name: string): KafkajsLogger;
    error(message: string, extra?: object): void;
    warn(message: string, extra?: object): void;
    info(message: string, extra?: object): void;
    debug(message: string, extra?: object): void;
  }

  export interface KafkajsSasl {
    readonly mechanism: string;
    readonly username?: string;
    readonly password?: string;
    readonly authenticationProvider?: (peer: {
      readonly host: string;
      readonly port: number;
      /** One message to the broker and its answer. */
      readonly saslAuthenticate: (exchange: KafkajsSaslExchange) => Promise<Buffer>;
    }) => { readonly authenticate: () => Promise<void> };
  }

  export interface KafkajsSaslExchange {
    readonly request: { readonly encode: () => Promise<Buffer> };
    readonly response: {
      readonly decode: (bytes: Buffer) => Promise<Buffer>;
      readonly parse: (answer: Buffer) => Promise<Buffer>;
    };
  }

  export interface KafkajsConnectionOptions {
    readonly host: string;
    readonly port: number;
    readonly clientId: string;
    readonly logger: KafkajsLogger;
    readonly ssl: ConnectionOptions | null;
    readonly sasl: KafkajsSasl | null;
    readonly socketFactory: (options: { ssl: ConnectionOptions | null; onConnect: () => void }) => Socket;
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly enforceRequestTimeout: boolean;
  }

  export default class Connection {
    constructor(options: KafkajsConnectionOptions);
    readonly requestQueue: {
      readonly pending: readonly unknown[];
      throttledUntil: number;
      throttleCheckTimeoutId: NodeJS.Timeout | null;
      scheduleCheckPendingRequests(): void;
      checkPendingRequests(): void;
      destroy(): void;
    };
    readonly socket: Socket | undefined;
    connect(): Promise<unknown>;
    isConnected(): boolean;
    setVersions(versions: KafkajsVersions): void;
    setSupportAuthenticationProtocol(isSupported: boolean): void;
    authenticate(): Promise<void>;
    rejectRequests(error: Error): void;
    disconnect(): Promise<unknown>;
    send<Reply>(exchange: {
      readonly request: KafkajsRequest;
      readonly response: KafkajsResponse<Reply>;
      readonly requestTimeout?: number | null;
      readonly logResponseError?: boolean;
    }): Promise<Reply>;
  }
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  import type Encoder from 'kafkajs/src/protocol/encoder.js';

  export type KafkajsVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>;

  export interface KafkajsRequest {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<Encoder>;
  }

  export interface KafkajsResponse<Reply> {
    readonly decode: (bytes: Buffer) => Promise<unknown>;
    readonly parse: (decoded: unknown) => Promise<Reply>;
  }

  export interface KafkajsExchange {
    readonly request: KafkajsRequest;
    readonly response: KafkajsResponse<unknown>;
    readonly requestTimeout?: number | null;
  }

  export const requests: Readonly<
    Record<
      string,
      {
        readonly versions: readonly string[];
        protocol(choice: { readonly version: number }): (parameters: unknown) => KafkajsExchange;
      }
    >
  >;
}

declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: Readonly<Record<string, number>>;
  export default apiKeys;
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    readonly buffer: Buffer;
    writeInt16(value: number): this;
    writeInt32(value: number): this;
    writeString(value: string | null): this;
    writeBuffer(value: Buffer): this;
  }
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(bytes: Buffer);
    readInt16(): number;
    readInt32(): number;
    readInt64(): bigint;
    readString(): string;
    readBytes(length?: number): Buffer | null;
    readArray<Item>(read: (decoder: Decoder) => Item): Item[];
  }
}

declare module 'kafkajs/src/protocol/messageSet/decoder.js' {
  import type Decoder from 'kafkajs/src/protocol/decoder.js';

  export interface KafkajsMessage {
    readonly offset: string;
    /** Missing in format 0. */
    readonly timestamp?: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
  }

  export default function decode(decoder: Decoder, byteLength: number): Promise<KafkajsMessage[]>;
}

declare module 'kafkajs/src/protocol/message/compression/index.js' {
  export interface KafkajsCodec {
    compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
    decompress(bytes: Buffer): Promise<Buffer>;
  }

  export const Codecs: Record<number, () => KafkajsCodec>;
}

declare module 'kafkajs/src/consumer/assignerProtocol.js' {
  export const MemberMetadata: {
    encode(metadata: { readonly version: number; readonly topics: readonly string[] }): Buffer;
    decode(bytes: Buffer): { readonly topics: readonly string[] };
  };
  export const MemberAssignment: {
    encode(assignment: {
      readonly version: number;
      readonly assignment: Readonly<Record<string, readonly number[]>>;
    }): Buffer;
    decode(bytes: Buffer): { readonly assignment: Readonly<Record<string, readonly number[]>> } | null;
  };
}
