import type { OptionProblem } from 'sluice/api';
import { clientAuthProblems, clientHeaderProblems, pinnedTlsProblems } from 'sluice/toolkit';
import type { SinkOptions } from './options.ts';

/** Nodes of a cloud give up on each other after 20 s, and say 200 then. */
const CLOUD_TIMEOUT_MS = 19_000;

/** What the schema cannot say. Templates and expressions are still text here. */
export function findProblems(options: SinkOptions): readonly OptionProblem[] {
  const { auth, headers } = options;
  return [
    ...placeProblems(options),
    ...modeProblems(options),
    ...versionProblems(options),
    ...connectionProblems(options),
    ...(auth === undefined ? [] : clientAuthProblems(auth)),
    ...clientHeaderProblems(headers),
  ];
}

function placeProblems({
  collection,
  core,
  request_timeout: timeout,
  min_replicas: replicas,
  routing,
}: SinkOptions): OptionProblem[] {
  if ((collection === undefined) === (core === undefined))
    return [problem('collection', 'give one of `collection`, of a SolrCloud, and `core`, of a server without one')];
  const problems: OptionProblem[] = [];
  if (collection !== undefined && timeout > CLOUD_TIMEOUT_MS)
    problems.push(
      problem(
        'request_timeout',
        'nodes of a cloud give up on each other after 20 s, and say that all is well: 19s is the most',
      ),
    );
  if (core !== undefined && replicas > 1)
    problems.push(problem('min_replicas', '`min_replicas` is for a `collection`'));
  if (core !== undefined && routing === 'endpoints')
    problems.push(problem('routing', '`routing` is for a `collection`'));
  return problems;
}

function modeProblems({
  mode,
  nested,
  operators,
  only_if: onlyIf,
  on_conflict: onConflict,
  schema,
  create_fields: creates,
}: SinkOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  if (operators.length > 0 && mode !== 'update')
    problems.push(problem('operators', '`operators` are for `mode: update`'));
  if (mode === 'update' && nested === 'children')
    problems.push(problem('nested', 'atomic updates of children are not written; use `flatten` or `json`'));
  if (onConflict !== 'skip' && onlyIf === 'any')
    problems.push(problem('on_conflict', '`on_conflict` has no effect without `only_if`'));
  if (creates && Object.keys(schema).length === 0)
    problems.push(problem('create_fields', 'there are no fields to create: name them under `schema`'));
  return problems;
}

function versionProblems({
  mode,
  version,
  version_field: field,
  delete_version_param: param,
  only_if: onlyIf,
}: SinkOptions): OptionProblem[] {
  if (version === 'none') {
    return [
      ...(field === undefined ? [] : [problem('version_field', '`version_field` has no effect without `version`')]),
      ...(param === undefined
        ? []
        : [problem('delete_version_param', '`delete_version_param` has no effect without `version`')]),
    ];
  }
  const problems: OptionProblem[] = [];
  if (mode !== 'keyed') problems.push(problem('version', '`version` is for `mode: keyed`'));
  if (field === undefined)
    problems.push(problem('version', '`version` needs `version_field`: the field that the processor compares'));
  if (param === undefined)
    problems.push(
      problem(
        'version',
        '`version` needs `delete_version_param`: without it an old record would bring back what was deleted',
      ),
    );
  if (onlyIf !== 'any')
    problems.push(problem('only_if', '`only_if` and `version` are two ways of the same; use one of them'));
  return problems;
}

function connectionProblems({ endpoints, tls, auth }: SinkOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const isPlain = endpoints.every((endpoint) => endpoint.startsWith('http:'));
  if (tls !== undefined) {
    problems.push(...pinnedTlsProblems(tls, ['tls']));
    if (isPlain) problems.push(problem('tls', '`tls` has no effect: no endpoint begins with `https:`'));
  }
  for (const [at, endpoint] of endpoints.entries()) {
    if (!endpoint.includes('@')) continue;
    const message = `addresses are printed, so they hold no credentials; use \`auth\`${auth === undefined ? '' : ' alone'}`;
    problems.push({ path: ['endpoints', at], message });
  }
  return problems;
}

function problem(option: string, message: string): OptionProblem {
  return { path: [option], message };
}
