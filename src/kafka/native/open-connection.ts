import { apiVersionsV0, apiVersionsV3, Connection } from '@platformatic/kafka';
import type { Clock } from '../../api/index.ts';
import type { KafkaSettings } from '../options.ts';
import { addressOf, type BrokerAddress } from './address.ts';
import { BrokerConnection, type BrokerAbilities } from './broker-connection.ts';
import { answerOf, KafkaError } from './errors.ts';

const UNSUPPORTED_VERSION = 35;
/** More than a producer may have in flight by the protocol (5), so that nothing waits in the client unseen. */
const MAXIMUM_IN_FLIGHT = 16;

/** Connects, authenticates, and asks the broker what it speaks. Rejects with what is the matter. */
export type BrokerOpener = (node: number, at: BrokerAddress, requestTimeoutMs: number) => Promise<BrokerConnection>;

export function brokerOpener(settings: KafkaSettings, clock: Clock): BrokerOpener {
  const { id, connect_timeout: connectTimeout } = settings.client;
  return async (nodeId, at, requestTimeout) => {
    const connection = new Connection(id, { connectTimeout, requestTimeout, maxInflights: MAXIMUM_IN_FLIGHT });
    // What breaks a connection rejects its requests; without a listener it would end the process as well.
    connection.on('error', () => undefined);
    try {
      await connection.connect(at.host, at.port);
      const abilities = await askAbilities(connection);
      return new BrokerConnection({ nodeId, at, connection, abilities, clock });
    } catch (error) {
      void connection.close();
      throw new KafkaError(
        'KAFKA_UNREACHABLE',
        'metadata',
        'connecting to Kafka',
        `broker ${addressOf(at)} does not answer`,
        error,
      );
    }
  };
}

/** Brokers before 2.4 answer version 3 with an error in the layout of version 0, which all of them speak. */
async function askAbilities(connection: Connection): Promise<BrokerAbilities> {
  const modern = await answerOf(apiVersionsV3.api.async(connection, 'sluice', '1'));
  const answer =
    modern.errorCode === UNSUPPORTED_VERSION ? await apiVersionsV0.api.async(connection, 'sluice', '1') : modern;
  return {
    versions: new Map(
      answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { lowest: minVersion, highest: maxVersion }]),
    ),
    features: new Map(modern.finalizedFeatures?.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]) ?? []),
  };
}
