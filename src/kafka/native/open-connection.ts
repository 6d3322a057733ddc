import { kafka } from './package.ts';
import type { Clock } from '../../api/index.ts';
import { redirected } from '../../telemetry/index.ts';
import { loadTls } from '../client-tls.ts';
import type { OAuthTokens } from '../oauth-token.ts';
import type { KafkaSettings } from '../options.ts';
import type { BrokerAddress } from '../common/address.ts';
import { BrokerConnection, type BrokerAbilities } from './broker-connection.ts';
import { throwOnCode } from '../common/errors.ts';
import { answerOf } from './errors.ts';
import { callApi } from './exchange.ts';
import { brokenMatter, openingError } from './opening-errors.ts';
import { authenticate } from './sasl.ts';
import { Wire } from './wire.ts';

const UNSUPPORTED_VERSION = 35;
/** Of the time that a broker accepts requests after the authentication. */
const USED_UNTIL = 0.8;

/** Connects, asks the broker what it speaks, and authenticates. Rejects with what is the matter, named with the broker and the remedy. */
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
  const { id: clientId, connect_timeout: connectTimeoutMs } = settings.client;
  return async (nodeId, at, requestTimeoutMs) => {
    const tls = await loadTls(settings.tls);
    let wire: Wire | null = null;
    try {
      wire = await Wire.open({ at: redirected(at), tls, clientId, connectTimeoutMs, requestTimeoutMs });
      const abilities = await askAbilities(wire);
      const whyBroken = (error: unknown): string =>
        brokenMatter({ at, settings, error }, settings.sasl === undefined && !isKnown());
      const broker = new BrokerConnection({ nodeId, at, wire, abilities, whyBroken, clock });
      if (settings.sasl === undefined || tokens === null) return broker;
      const authenticatedAt = clock.monotonic();
      const lifetimeMs = await authenticate(broker, settings.sasl, tokens);
      if (lifetimeMs !== null) broker.retireAt(authenticatedAt + lifetimeMs * USED_UNTIL);
      return broker;
    } catch (error) {
      void wire?.close();
      throw await openingError({ at, settings, error });
    }
  };
}

/** Brokers before 2.4 answer version 3 with an error in the layout of version 0, which all of them speak. */
async function askAbilities(wire: Wire): Promise<BrokerAbilities> {
  const modern = await answerOf(callApi(wire, kafka.apiVersionsV3.api, 'sluice', '1'));
  const answer =
    modern.errorCode === UNSUPPORTED_VERSION ? await callApi(wire, kafka.apiVersionsV0.api, 'sluice', '1') : modern;
  throwOnCode(answer.errorCode, 'asking a broker what it speaks');
  return {
    versions: new Map(
      answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { lowest: minVersion, highest: maxVersion }]),
    ),
    features: new Map(modern.finalizedFeatures?.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]) ?? []),
  };
}
