import { SluiceError, type JobSink, type JobSinkContext } from 'sluice/api';
import { HttpClients } from 'sluice/toolkit';
import type { LivyOptions, SinkOptions, StandaloneOptions } from './options.ts';

/** More than any answer that is looked at: the output of a driver is asked for in pieces. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

type SparkContext = Pick<JobSinkContext, 'clock' | 'log' | 'outbound' | 'signal'>;

export async function createSink(options: SinkOptions, context: SparkContext): Promise<JobSink> {
  const { standalone, livy, spark_submit: submit } = options;
  const { clock, log, signal } = context;
  if (standalone !== undefined) {
    const { StandaloneSubmitter } = await import('./standalone/submitter.ts');
    const { SubmissionServer } = await import('./standalone/rest.ts');
    const { MasterUi } = await import('./standalone/master-ui.ts');
    const clients = await httpClients(standalone, context);
    const server = new SubmissionServer(standalone.rest, clients, signal);
    const ui = standalone.ui.length === 0 ? null : new MasterUi(standalone.ui, clients, { clock, signal });
    return new StandaloneSubmitter({ options, server, ui, clock });
  }
  if (livy !== undefined) {
    const { LivySubmitter } = await import('./livy/submitter.ts');
    return new LivySubmitter(options, (await httpClients(livy, context)).client(livy.url), signal);
  }
  if (submit === undefined) throw new SluiceError('OPTION_INVALID', 'creating the sink: nothing says where jobs run');
  const { SparkSubmitter } = await import('./submit/submitter.ts');
  return new SparkSubmitter({ options: { ...options, spark_submit: submit }, clock, log, env: process.env });
}

function httpClients(
  { auth, tls, headers, proxy, timeout }: StandaloneOptions | LivyOptions,
  { clock, outbound }: SparkContext,
): Promise<HttpClients> {
  return HttpClients.load({
    clock,
    outbound,
    auth,
    tls,
    headers,
    proxy,
    timeoutMs: timeout,
    maxAnswerBytes: MAX_ANSWER_BYTES,
  });
}
