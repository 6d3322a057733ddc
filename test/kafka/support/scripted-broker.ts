import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { protocolAPIsByName, Writer } from '@platformatic/kafka';

export interface ScriptedRequest {
  readonly api: string;
  readonly version: number;
  readonly correlationId: number;
  readonly socket: Socket;
}

/** What goes back: the body of an answer, with its header before it; nothing at all; or (by the socket of the request) bytes of any kind. */
type Script = (request: ScriptedRequest) => Writer | null;

const names = new Map(Object.entries(protocolAPIsByName).map(([name, key]) => [key, name]));

/** A broker that answers what a test says, for what a real one will not do on demand. */
export class ScriptedBroker {
  readonly requests: ScriptedRequest[] = [];
  script: Script = (request) => this.wellBehaved(request);
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  static async start(port = 0): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker();
    await new Promise<void>((resolve) => broker.#server.listen(port, '127.0.0.1', resolve));
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  count(api: string): number {
    return this.requests.filter((request) => request.api === api).length;
  }

  /** The only broker of a cluster without topics. */
  wellBehaved({ api }: ScriptedRequest): Writer | null {
    if (api === 'ApiVersions')
      return abilities([
        [3, 5, 12],
        [18, 0, 3],
      ]);
    if (api === 'Metadata') return metadata([{ node: 1, host: '127.0.0.1', port: this.port }]);
    return null;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const frame = pending.subarray(4, 4 + pending.readInt32BE(0));
        pending = pending.subarray(4 + frame.length);
        this.#answer(frame, socket);
      }
    });
  }

  #answer(frame: Buffer, socket: Socket): void {
    const api = names.get(frame.readInt16BE(0)) ?? '';
    const request = { api, version: frame.readInt16BE(2), correlationId: frame.readInt32BE(4), socket };
    this.requests.push(request);
    const body = this.script(request);
    if (body === null) return;
    const header = Writer.create().appendInt32(request.correlationId);
    // ApiVersions alone keeps the old header in its flexible versions.
    if (api === 'Metadata' && request.version >= 9) header.appendTaggedFields();
    socket.write(header.appendFrom(body).prependLength().buffer);
  }
}

/** An answer to ApiVersions v3. */
function abilities(apis: readonly (readonly [key: number, lowest: number, highest: number])[]): Writer {
  return Writer.create()
    .appendInt16(0)
    .appendArray([...apis], (writer, [key, lowest, highest]) => {
      writer.appendInt16(key).appendInt16(lowest).appendInt16(highest);
    })
    .appendInt32(0)
    .appendTaggedFields();
}

const topicId = '01020304-0506-0708-090a-0b0c0d0e0f10';

interface ScriptedTopic {
  readonly name: string;
  readonly id?: string;
  readonly errorCode?: number;
  readonly leaderEpoch?: number;
}

/** An answer to Metadata v12: brokers, and topics of one partition that the first of them leads. */
export function metadata(
  brokers: readonly { readonly node: number; readonly host: string; readonly port: number }[],
  topics: readonly ScriptedTopic[] = [],
  throttleMs = 0,
): Writer {
  return Writer.create()
    .appendInt32(throttleMs)
    .appendArray([...brokers], (writer, { node, host, port }) => {
      writer.appendInt32(node).appendString(host).appendInt32(port).appendString(null);
    })
    .appendString('scripted-cluster')
    .appendInt32(1)
    .appendArray([...topics], (writer, { name, id = topicId, errorCode = 0, leaderEpoch = 0 }) => {
      writer.appendInt16(errorCode).appendString(name).appendUUID(id).appendBoolean(false);
      writer.appendArray(errorCode === 0 ? [0] : [], (partition) => {
        partition.appendInt16(0).appendInt32(0).appendInt32(1).appendInt32(leaderEpoch);
        for (const nodes of [[1], [1], []])
          partition.appendArray(nodes, (node, id) => node.appendInt32(id), true, false);
      });
      writer.appendInt32(0);
    })
    .appendTaggedFields();
}
