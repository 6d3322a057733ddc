import type { SinkContext } from 'sluice/api';
import { HttpClients, warnUnverified } from 'sluice/toolkit';
import { Cloud } from './cloud.ts';
import type { Demands } from './collection-facts.ts';
import { DocumentWriter } from './document-writer.ts';
import { KeyIds, RecordIds } from './ids.ts';
import type { SinkOptions } from './options.ts';
import { SolrSink } from './sink.ts';
import { Standalone } from './standalone.ts';
import type { Solr } from './target.ts';
import { UpdateBody } from './update-body.ts';

/** Throws `OPTION_INVALID` naming a file that TLS cannot use. */
export async function createSink(options: SinkOptions, context: SinkContext): Promise<SolrSink> {
  const solr = await openSolr(options, context);
  warnUnverified(options.tls, context);
  const { mode, version } = options;
  const replayVersion = replayOf(options, context);
  const compares = version !== 'none';
  const settings = {
    name: options.collection ?? { constant: options.core!, render: () => options.core! },
    deletes: mode !== 'log',
    deletions: compares ? { of: version, param: options.delete_version_param! } : null,
    comparesVersions: compares,
    onConflict: replayVersion === null ? options.on_conflict : ('skip' as const),
    minReplicas: options.min_replicas,
    maxRequestBytes: options.max_request,
    query: queryOf(options),
    demands: demandsOf(options),
    replayFault: replayFaultOf(options, context),
  };
  const documents = {
    idField: options.id_field,
    fields: new Map(Object.entries(options.fields)),
    nested: options.nested,
    isUpdate: mode === 'update',
    operators: new Set<string>(options.operators),
    versionField: compares ? options.version_field! : null,
    takesVersion: options.only_if === 'version',
    version: compares ? { of: version, field: options.version_field! } : null,
    expected: replayVersion ?? expectedOf(options),
  };
  const createIds = mode === 'log' ? () => new RecordIds() : () => new KeyIds();
  return new SolrSink(settings, context, {
    solr,
    createIds,
    createBody: (ids) =>
      new UpdateBody({
        ids,
        documents: new DocumentWriter(documents),
        deletes: mode !== 'log',
        deletesApart: compares,
      }),
  });
}

/** Throws `OPTION_INVALID`. */
export async function openSolr(options: SinkOptions, context: Pick<SinkContext, 'clock' | 'outbound'>): Promise<Solr> {
  const { endpoints, auth, tls, headers, proxy, request_timeout: timeoutMs, collection, routing } = options;
  const { clock, outbound } = context;
  const clients = await HttpClients.load({ clock, outbound, auth, tls, headers, proxy, timeoutMs });
  return collection === undefined
    ? new Standalone(endpoints, clients, clock)
    : new Cloud({ endpoints, routing, clock }, clients);
}

export function demandsOf(options: SinkOptions): Demands {
  const compares = options.version !== 'none';
  return {
    idField: options.id_field,
    fields: options.schema,
    createsFields: options.create_fields,
    needs: [
      ...(compares ? [options.version_field!] : []),
      ...(options.nested === 'children' ? ['_root_', '_nest_path_'] : []),
      ...(options.only_if === 'any' && options.mode !== 'update' ? [] : ['_version_']),
    ],
    chain: options.update_chain ?? null,
    comparesVersions: compares,
  };
}

/** The `_version_` of a document that may be written (Solr reference guide, "Optimistic concurrency"). */
function expectedOf({ only_if: onlyIf }: SinkOptions): -1 | 1 | null {
  return onlyIf === 'absent' ? -1 : onlyIf === 'present' ? 1 : null;
}

function queryOf({
  commit_within: within,
  commit,
  min_replicas: replicas,
  collection,
}: SinkOptions): Record<string, string> {
  return {
    wt: 'json',
    'json.nl': 'flat',
    indent: 'off',
    // Each document that a leader has taken is named with its version: 200 alone proves nothing.
    versions: 'true',
    ...(within === undefined ? {} : { commitWithin: String(within) }),
    ...(commit === 'soft' ? { softCommit: 'true' } : commit === 'hard' ? { commit: 'true' } : {}),
    ...(collection !== undefined && replicas > 1 ? { min_rf: String(replicas) } : {}),
  };
}

/** Without versions an old record that is replayed may be written only where nothing is. */
function replayOf({ mode, version }: SinkOptions, { replay }: SinkContext): -1 | null {
  return replay !== undefined && mode === 'keyed' && version === 'none' ? -1 : null;
}

function replayFaultOf({ mode, version }: SinkOptions, { replay }: SinkContext): string | null {
  if (replay === undefined || mode === 'log' || version !== 'none' || replay.resurrect) return null;
  return mode === 'update'
    ? 'replaying an update: the document may have been changed since, and nothing tells; --resurrect writes it all the same'
    : 'replaying a document: without `version` nothing tells whether its key was written or deleted since; --resurrect writes those that are not there';
}
