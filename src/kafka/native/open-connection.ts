import { apiVersionsV0, apiVersionsV3, Connection, type ConnectionOptions } from '@platformatic/kafka';
import type { Clock } from '../../api/index.ts';
import { loadTls } from '../client-tls.ts';
import type { OAuthTokens } from '../oauth-token.ts';
import type { KafkaSettings } from '../options.ts';
import { addressOf, type BrokerAddress } from '../common/address.ts';
import { BrokerConnection, type BrokerAbilities } from './broker-connection.ts';
import { throwOnCode } from '../common/errors.ts';
import { answerOf } from './errors.ts';
import { FrameGuard } from './frame-guard.ts';
import { brokenMatter, openingError } from './opening-errors.ts';
import { saslSession } from './sasl.ts';

const UNSUPPORTED_VERSION = 35;
/** More than a producer may have in flight by the protocol (5), so that nothing waits in the client unseen. */
const MAXIMUM_IN_FLIGHT = 16;
/** Of the time that a broker accepts requests after the authentication. */
const USED_UNTIL = 0.8;

/** Connects, authenticates, and asks the broker what it speaks. Rejects with what is the matter, named with the broker and the remedy. */
export type BrokerOpener = (node: number, at: BrokerAddress, requestTimeoutMs: number) => Promise<BrokerConnection>;

export function brokerOpener({
  settings,
  tokens,
  clock,
  isKnown,
}: {
  readonly settings: KafkaSettings;
  readonly tokens: OAuthTokens | null;
  readonly clock: Clock;
  /** The cluster has answered before: it takes this client. */
  readonly isKnown: () => boolean;
}): BrokerOpener {
  const { id, connect_timeout: connectTimeout } = settings.client;
  return async (nodeId, at, requestTimeout) => {
    const tls = await loadTls(settings.tls);
    const sasl =
      settings.sasl === undefined || tokens === null ? null : saslSession(settings.sasl, tokens, addressOf(at));
    const options: ConnectionOptions = {
      connectTimeout,
      requestTimeout,
      maxInflights: MAXIMUM_IN_FLIGHT,
      ...(tls === null ? {} : { tls }),
      ...(sasl === null ? {} : { sasl: sasl.options }),
    };
    const connection = new Connection(id, options);
    const breaks: Error[] = [];
    // Without a listener a broken connection would end the process.
    connection.on('error', (error) => breaks.push(error));
    const authenticatedAt = clock.monotonic();
    let guard: FrameGuard | null = null;
    try {
      const connecting = connection.connect(at.host, at.port);
      guard = new FrameGuard(connection.socket, tls !== null);
      await connecting;
      const abilities = await askAbilities(connection);
      const whyBroken = (error: unknown): string =>
        brokenMatter(
          { at, settings, errors: [...breaks, error], finding: guard?.finding ?? null },
          settings.sasl === undefined && !isKnown(),
        );
      const lifetimeMs = sasl?.lifetimeMs ?? null;
      const usableUntil = lifetimeMs === null ? Infinity : authenticatedAt + lifetimeMs * USED_UNTIL;
      return new BrokerConnection({ nodeId, at, connection, abilities, usableUntil, whyBroken, clock });
    } catch (error) {
      void connection.close();
      throw await openingError({ at, settings, errors: [...breaks, error], finding: guard?.finding ?? null });
    }
  };
}

/** Brokers before 2.4 answer version 3 with an error in the layout of version 0, which all of them speak. */
async function askAbilities(connection: Connection): Promise<BrokerAbilities> {
  const modern = await answerOf(apiVersionsV3.api.async(connection, 'sluice', '1'));
  const answer =
    modern.errorCode === UNSUPPORTED_VERSION ? await apiVersionsV0.api.async(connection, 'sluice', '1') : modern;
  throwOnCode(answer.errorCode, 'asking a broker what it speaks');
  return {
    versions: new Map(
      answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { lowest: minVersion, highest: maxVersion }]),
    ),
    features: new Map(modern.finalizedFeatures?.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]) ?? []),
  };
}
