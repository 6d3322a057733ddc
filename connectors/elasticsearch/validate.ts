import type { OptionProblem } from 'sluice/api';
import { clientHeaderProblems, clientTlsProblems } from 'sluice/toolkit';
import type { SinkOptions } from './options.ts';

/** What an index name may not hold (Elasticsearch's create index API). */
const FORBIDDEN_IN_INDEX = /[\p{Lu}\\/*?"<>|\s,#:]/u;

/** What the schema cannot say. Templates and expressions are still text here. */
export function findProblems(options: SinkOptions): readonly OptionProblem[] {
  const { endpoints, tls, auth } = options;
  const problems: OptionProblem[] = [...modeProblems(options), ...indexProblems(options)];
  if (tls !== undefined) {
    problems.push(...clientTlsProblems(tls, ['tls']));
    const isPlain = endpoints.every((endpoint) => endpoint.startsWith('http:'));
    if (isPlain) problems.push({ path: ['tls'], message: '`tls` has no effect: no endpoint begins with `https:`' });
  }
  if (auth !== undefined && (auth.basic === undefined) === (auth.api_key === undefined))
    problems.push({ path: ['auth'], message: '`auth` takes one of `basic` and `api_key`' });
  for (const [at, endpoint] of endpoints.entries()) {
    if (!endpoint.includes('@')) continue;
    problems.push({
      path: ['endpoints', at],
      message: 'addresses are printed, so they hold no credentials; use `auth`',
    });
  }
  problems.push(...clientHeaderProblems(options.headers));
  return problems;
}

function modeProblems({ mode, version, data_stream: isDataStream }: SinkOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  if (mode === 'keyed' && isDataStream) {
    const message = 'data streams take new documents only, so `mode: keyed` cannot replace them; use an index';
    problems.push({ path: ['data_stream'], message });
  }
  if (mode === 'log' && version !== 'offset')
    problems.push({ path: ['version'], message: '`version` is for `mode: keyed`; leave it out' });
  return problems;
}

function indexProblems({ index }: SinkOptions): OptionProblem[] {
  const text: unknown = index;
  if (typeof text !== 'string' || text.includes('${')) return [];
  const literal = text.replaceAll(/\{\{.*?\}\}/gs, '');
  const wrong = FORBIDDEN_IN_INDEX.exec(literal)?.[0];
  if (wrong !== undefined) {
    const message = `index names take no ${JSON.stringify(wrong)}: lower-case letters, digits, "-", "_" and "." are safe`;
    return [{ path: ['index'], message }];
  }
  return /^[-_+]/.test(literal) ? [{ path: ['index'], message: 'index names do not begin with "-", "_" or "+"' }] : [];
}
