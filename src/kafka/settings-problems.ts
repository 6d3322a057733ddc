import type { OptionProblem } from '../api/index.ts';
import { clientTlsProblems } from '../toolkit/index.ts';
import type { KafkaSettings } from './options.ts';

/**
 * What the schema of `kafkaOptions` cannot say: settings that contradict each other, or that would send secrets in plain text. Pure; references may be
 * unresolved. Paths begin below the options.
 */
export function kafkaProblems(settings: KafkaSettings): readonly OptionProblem[] {
  return [
    ...brokerProblems(settings),
    ...(typeof settings.tls === 'object' ? clientTlsProblems(settings.tls, ['tls']) : []),
    ...(settings.sasl === undefined ? [] : [...saslProblems(settings.sasl), ...plainTextProblems(settings)]),
    ...clientProblems(settings),
  ];
}

type Sasl = NonNullable<KafkaSettings['sasl']>;

function brokerProblems({ brokers }: KafkaSettings): OptionProblem[] {
  return brokers.flatMap((broker, index) => {
    const port = Number(broker.slice(broker.lastIndexOf(':') + 1));
    if (!(port < 1 || port > 65_535)) return [];
    return [{ path: ['brokers', index], message: `\`${broker}\` has no port from 1 to 65535` }];
  });
}

function saslProblems(sasl: Sasl): OptionProblem[] {
  const { mechanism } = sasl;
  const isToken = mechanism === 'oauthbearer';
  const foreign = isToken ? (['username', 'password'] as const) : (['token', 'oauth'] as const);
  const others = isToken ? '`plain` and `scram-…`' : '`oauthbearer`';
  const stray = foreign
    .filter((option) => sasl[option] !== undefined)
    .map((option) => ({
      path: ['sasl', option],
      message: `\`${option}\` is for ${others}; the mechanism is \`${mechanism}\``,
    }));
  if (isToken) return [...stray, ...tokenProblems(sasl)];
  const missing = (['username', 'password'] as const)
    .filter((option) => sasl[option] === undefined)
    .map((option) => ({ path: ['sasl', 'mechanism'], message: `\`${mechanism}\` needs \`${option}\` beside it` }));
  return [...missing.slice(0, 1), ...stray];
}

function tokenProblems({ token, oauth }: Sasl): OptionProblem[] {
  if (token === undefined && oauth === undefined)
    return [
      {
        path: ['sasl', 'mechanism'],
        message: '`oauthbearer` needs `oauth` beside it, or a `token` that does not expire',
      },
    ];
  if (token !== undefined && oauth !== undefined)
    return [
      { path: ['sasl', 'token'], message: '`token` and `oauth` are two ways to one thing; leave one of them out' },
    ];
  return [];
}

const EAVESDROPPING: Readonly<Record<Sasl['mechanism'], string>> = {
  plain: 'read the password on its way',
  'scram-sha-256': 'guess the password by what is sent',
  'scram-sha-512': 'guess the password by what is sent',
  oauthbearer: 'read the token on its way',
};

function plainTextProblems({ tls, sasl }: KafkaSettings): OptionProblem[] {
  if (sasl === undefined || sasl.insecure_without_tls) return [];
  const found: OptionProblem[] = [];
  if (tls === false) {
    const message = `without \`tls\` others can ${EAVESDROPPING[sasl.mechanism]}; set \`tls: true\`, or \`insecure_without_tls: true\` where nobody can listen`;
    found.push({ path: ['sasl', 'mechanism'], message });
  }
  if (sasl.oauth?.token_endpoint.startsWith('http:') === true) {
    const message =
      'the secret would be sent so that others can read it; use https, or set `insecure_without_tls: true` where nobody can listen';
    found.push({ path: ['sasl', 'oauth', 'token_endpoint'], message });
  }
  return found;
}

function clientProblems({ client, driver }: KafkaSettings): OptionProblem[] {
  const found: OptionProblem[] = [];
  if (client.heartbeat_interval >= client.session_timeout)
    found.push({
      path: ['client', 'heartbeat_interval'],
      message: '`heartbeat_interval` must be shorter than `session_timeout`, best a third of it',
    });
  if (driver === 'kafkajs' && client.group_protocol === 'consumer')
    found.push({
      path: ['client', 'group_protocol'],
      message: 'the driver `kafkajs` knows the protocol `classic` only; leave one of them out',
    });
  return found;
}
