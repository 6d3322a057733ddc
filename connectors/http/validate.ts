import type { OptionProblem } from 'sluice/api';
import { listenerProblems, networkProblems, reservedHeader } from 'sluice/toolkit';
import { routesOf, type SourceOptions } from './options.ts';

type At = (...path: readonly (string | number)[]) => readonly (string | number)[];

/** What the schema cannot say. */
export function findProblems(options: SourceOptions): readonly OptionProblem[] {
  const { path_header: pathHeader, client_header: clientHeader, trusted_proxies: proxies } = options;
  return [
    ...listenerProblems({ ...(options.tls === undefined ? {} : { tls: options.tls }) }),
    ...gateProblems(options, (...path) => path),
    ...(options.routes ?? []).flatMap((route, index) => gateProblems(route, (...path) => ['routes', index, ...path])),
    ...headerProblem(pathHeader, ['path_header']),
    ...headerProblem(clientHeader, ['client_header']),
    ...networkProblems(proxies, ['trusted_proxies']),
    ...routeProblems(options),
    ...memoryProblems(options),
  ];
}

function gateProblems(
  { auth, headers = [], allow = [] }: Partial<Pick<SourceOptions, 'auth' | 'headers' | 'allow'>>,
  at: At,
): readonly OptionProblem[] {
  const acceptsNobody = auth !== undefined && Object.keys(auth).length === 0;
  return [
    ...(acceptsNobody
      ? [{ path: at('auth'), message: '`auth` accepts nobody as it is; give `basic`, `bearer`, `users` or `tokens`' }]
      : []),
    ...headers.flatMap((name, index) => headerProblem(name, at('headers', index))),
    ...networkProblems(allow, at('allow')),
  ];
}

function headerProblem(name: string, path: readonly (string | number)[]): readonly OptionProblem[] {
  const message = reservedHeader(name);
  return message === null ? [] : [{ path, message }];
}

function routeProblems({ path, routes = [] }: SourceOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [];
  if (path !== undefined && routes.length > 0)
    problems.push({ path: ['path'], message: '`path` is the short form of one route; leave it out beside `routes`' });
  const seen = new Set<string>();
  for (const [index, route] of routes.entries()) {
    if (seen.has(route.path))
      problems.push({ path: ['routes', index, 'path'], message: `another route has the path ${route.path} already` });
    seen.add(route.path);
  }
  return problems;
}

function memoryProblems(options: SourceOptions): readonly OptionProblem[] {
  const largest = Math.max(...routesOf(options).map((route) => route.max_body + route.max_inflated_body));
  if (options.max_in_flight >= largest) return [];
  const message = 'must be `max_body` and `max_inflated_body` together at least, or the largest bodies never fit';
  return [{ path: ['max_in_flight'], message: `\`max_in_flight\` ${message}` }];
}
