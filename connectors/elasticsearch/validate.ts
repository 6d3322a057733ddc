import type { OptionProblem } from 'sluice/api';
import { clientHeaderProblems, pinnedTlsProblems } from 'sluice/toolkit';
import type { SinkOptions } from './options.ts';

/** What an index name may not hold (Elasticsearch's create index API). */
const FORBIDDEN_IN_INDEX = /[\p{Lu}\\/*?"<>|\s,#:]/u;

/** What the schema cannot say. Templates and expressions are still text here. */
export function findProblems(options: SinkOptions): readonly OptionProblem[] {
  const { endpoints = [], cloud_id: cloud, tls, auth } = options;
  const problems: OptionProblem[] = [...modeProblems(options), ...indexProblems(options)];
  if (tls !== undefined) {
    problems.push(...pinnedTlsProblems(tls, ['tls']));
    const isPlain = cloud === undefined && endpoints.every((endpoint) => endpoint.startsWith('http:'));
    if (isPlain) problems.push({ path: ['tls'], message: '`tls` has no effect: no endpoint begins with `https:`' });
  }
  if ((options.endpoints === undefined) === (cloud === undefined))
    problems.push({ path: ['endpoints'], message: 'say where the cluster is: `endpoints`, or `cloud_id`' });
  if (auth !== undefined && Object.keys(auth).length !== 1)
    problems.push({
      path: ['auth'],
      message: `\`auth\` takes one kind of credentials, and has ${Object.keys(auth).length}`,
    });
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

function modeProblems({ mode, version, update, data_stream: isDataStream }: SinkOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  if (mode !== 'log' && isDataStream) {
    const message = `data streams take new documents only, so \`mode: ${mode}\` cannot change them; use an index`;
    problems.push({ path: ['data_stream'], message });
  }
  if (update.script !== undefined && update.script_id !== undefined)
    problems.push({ path: ['update', 'script_id'], message: '`update` takes one of `script` and `script_id`' });
  if (mode !== 'update' && (update.script ?? update.script_id) !== undefined)
    problems.push({ path: ['update'], message: '`update` is for `mode: update`; leave it out' });
  if (mode !== 'keyed' && version !== 'offset')
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
