import {
  describeError,
  type Clock,
  type JobBatch,
  type JobHandle,
  type JobSink,
  type JobState,
  type Logger,
} from 'sluice/api';
import type { SinkOptions, SubmitOptions } from '../options.ts';
import { Child, endGroup } from './child.ts';
import { childEnvironment, nameArguments, submitArguments } from './command-line.ts';
import { endCommand, outcomeOf } from './outcome.ts';
import { findProcess, isAlive, markOf, type ProcessMark } from './processes.ts';

/** How long a program that ends an application may take. */
const END_COMMAND_MS = 60_000;

interface Options {
  readonly options: SinkOptions & { readonly spark_submit: SubmitOptions };
  readonly clock: Clock;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
}

/** `spark-submit` as a child: one at a time, in a process group of its own. */
export class SparkSubmitter implements JobSink {
  readonly #options: Options;
  #child: Child | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  /** One that another life of the hub left behind. */
  async find(batch: JobBatch): Promise<JobHandle | null> {
    const found = await findProcess(nameArguments(batch.id));
    return found === null ? null : { ...found };
  }

  async submit(batch: JobBatch): Promise<JobHandle> {
    const { options, clock, env } = this.#options;
    await this.#endChild();
    this.#child = await Child.start({
      command: options.spark_submit.command,
      args: submitArguments(options, batch),
      env: childEnvironment(options.environment, env),
      clock,
    });
    const { pid } = this.#child;
    return { ...((await markOf(pid)) ?? { pid, started: '' }) };
  }

  /** The exit code of a child of another life is nobody's: its batch is submitted again once it has ended, and found done if it is. */
  async look(handle: JobHandle): Promise<JobState> {
    const mark = markIn(handle);
    if (mark === null) return { state: 'unknown' };
    const child = this.#child;
    if (child?.pid !== mark.pid) return { state: (await isAlive(mark)) ? 'running' : 'unknown' };
    const { exit, stdout, stderr } = child;
    return exit === null
      ? { state: 'running' }
      : outcomeOf(this.#options.options.spark_submit, { exit, stdout, stderr });
  }

  async end(handle: JobHandle): Promise<void> {
    const { options, clock } = this.#options;
    const mark = markIn(handle);
    if (mark === null) return;
    if (this.#child?.pid === mark.pid) await this.#endChild();
    else if (await isAlive(mark)) await endGroup(mark.pid, options.spark_submit.stop_timeout, clock);
  }

  output(handle: JobHandle): Promise<string> {
    const child = this.#child;
    return Promise.resolve(child?.pid === markIn(handle)?.pid ? [child?.stdout, child?.stderr].join('\n') : '');
  }

  async close(): Promise<void> {
    const { options, log } = this.#options;
    // In a cluster the driver lives on, and whoever starts next finds its batch done or does it again.
    if (options.spark_submit.deploy_mode === 'cluster') await this.#child?.end(options.spark_submit.stop_timeout);
    else
      await this.#endChild().catch((error: unknown) => {
        log.warn({ cause: describeError(error) }, 'ending spark-submit did not work');
      });
  }

  /** The job, and then whatever is left of its group. */
  async #endChild(): Promise<void> {
    const { options, clock, env } = this.#options;
    const child = this.#child;
    if (child === null) return;
    const ending = child.exit === null ? endCommand(options.spark_submit, child) : null;
    if (ending !== null) {
      const ender = await Child.start({ ...ending, env: childEnvironment(options.environment, env), clock });
      await Promise.race([ender.wait(), clock.sleep(END_COMMAND_MS)]);
      await ender.end(0);
    }
    await child.end(options.spark_submit.stop_timeout);
  }
}

/** Null for a job that was submitted elsewhere, before the options were changed. */
function markIn(handle: JobHandle): ProcessMark | null {
  const { pid, started } = (handle ?? {}) as { readonly pid?: unknown; readonly started?: unknown };
  return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : null;
}
