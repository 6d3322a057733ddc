const redirects = redirectsBy(process.env);

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * Where to connect to reach it: elsewhere only with `SLUICE_TESTING=1` and `SLUICE_REDIRECT=host:port>host:port,…`, for tests of delivery. So a proxy comes before servers whose
 * addresses the clients are told by others.
 */
export function redirected(to: Endpoint): Endpoint {
  return redirects?.get(`${to.host}:${to.port}`) ?? to;
}

function redirectsBy({
  SLUICE_TESTING,
  SLUICE_REDIRECT = '',
}: NodeJS.ProcessEnv): ReadonlyMap<string, Endpoint> | null {
  if (SLUICE_TESTING !== '1' || SLUICE_REDIRECT === '') return null;
  return new Map(
    SLUICE_REDIRECT.split(',').map((text) => {
      const [from = '', to = ''] = text.split('>');
      const colon = to.lastIndexOf(':');
      return [from, { host: to.slice(0, colon), port: Number(to.slice(colon + 1)) }];
    }),
  );
}
