import { kafka } from './package.ts';
import type { BrokerAddress } from '../common/address.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { protocolError } from '../common/errors.ts';

const findCoordinatorApis = [
  kafka.findCoordinatorV1.api,
  kafka.findCoordinatorV2.api,
  kafka.findCoordinatorV3.api,
  kafka.findCoordinatorV4.api,
  kafka.findCoordinatorV5.api,
  kafka.findCoordinatorV6.api,
];

const keyTypes = { group: 0, transaction: 1 } as const;

export interface CoordinatorKey {
  readonly coordinator: 'group' | 'transaction';
  readonly key: string;
}

export interface Coordinator {
  readonly node: number;
  readonly at: BrokerAddress;
}

/** Which broker coordinates a group or a transactional id, until an error says that it moved. */
export class Coordinators {
  readonly #anyBroker: (signal: AbortSignal) => Promise<BrokerConnection>;
  readonly #known = new Map<string, Coordinator>();

  constructor(anyBroker: (signal: AbortSignal) => Promise<BrokerConnection>) {
    this.#anyBroker = anyBroker;
  }

  async find({ coordinator, key }: CoordinatorKey, signal: AbortSignal): Promise<Coordinator> {
    const known = this.#known.get(`${coordinator}/${key}`);
    if (known !== undefined) return known;
    const broker = await this.#anyBroker(signal);
    const { coordinators } = await broker.call(findCoordinatorApis, keyTypes[coordinator], [key]);
    const [answer] = coordinators;
    const doing = `finding the coordinator of ${coordinator} ${JSON.stringify(key)}`;
    if (answer === undefined) throw protocolError(15, doing);
    if (answer.errorCode !== 0) throw protocolError(answer.errorCode, doing);
    const found = { node: answer.nodeId, at: { host: answer.host, port: answer.port } };
    this.#known.set(`${coordinator}/${key}`, found);
    return found;
  }

  /** All are looked up again before they are next used. */
  forget(): void {
    this.#known.clear();
  }
}
