import { SluiceError, type Clock, type JobBatch, type JobHandle, type JobSink, type JobState } from 'sluice/api';
import type { SinkOptions } from '../options.ts';
import { reasonIn, shorten } from '../reason.ts';
import type { MasterUi } from './master-ui.ts';
import { creationRequest, type DriverStatus, type SubmissionServer } from './rest.ts';

/** Scheduling takes a moment; longer, and nobody may have room for it at all. */
const QUEUED_MS = 60_000;

/** A driver of the cluster; or the application of one whose id nobody learned. Neither: a job that was submitted elsewhere, before the options were changed. */
interface Handle {
  readonly driver?: string;
  readonly application?: string;
}

interface Options {
  readonly options: SinkOptions;
  readonly server: SubmissionServer;
  /** Null where nobody gave its address. */
  readonly ui: MasterUi | null;
  readonly clock: Clock;
}

/** Drivers of a standalone cluster. */
export class StandaloneSubmitter implements JobSink {
  readonly #options: Options;
  #queued: { readonly driver: string; readonly since: number } | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Only an application that has begun shows its name, and not the id of its driver: it is waited for, then the batch is submitted again. */
  async find(batch: JobBatch): Promise<JobHandle | null> {
    const application = (await this.#options.ui?.activeApplication(batch.id)) ?? null;
    return application === null ? null : { application };
  }

  async submit(batch: JobBatch): Promise<JobHandle> {
    return { driver: await this.#options.server.create(creationRequest(this.#options.options, batch)) };
  }

  async look(known: JobHandle): Promise<JobState> {
    const { driver, application } = known as Handle;
    const { server, ui } = this.#options;
    if (driver === undefined) {
      const isActive = application !== undefined && (await ui?.isActive(application)) === true;
      return { state: isActive ? 'running' : 'unknown' };
    }
    const status = await server.status(driver);
    switch (status.state) {
      case null:
        return { state: 'unknown' };
      case 'SUBMITTED':
        return { state: 'queued', reason: this.#waitsFor(driver) };
      case 'FINISHED':
        return { state: 'succeeded' };
      case 'FAILED':
      case 'ERROR':
      case 'KILLED':
        return { state: 'failed', error: await this.#failure(driver, status) };
      default:
        // RUNNING, RELAUNCHING; UNKNOWN while a master recovers.
        return { state: 'running' };
    }
  }

  async end(known: JobHandle): Promise<void> {
    const { driver, application } = known as Handle;
    if (driver !== undefined) await this.#options.server.kill(driver);
    else if (application !== undefined) await this.#options.ui?.endApplication(application);
  }

  async output(known: JobHandle): Promise<string> {
    const { driver } = known as Handle;
    if (driver === undefined) return '';
    const { workerId } = await this.#options.server.status(driver);
    const { stdout, stderr } = await this.#streams(driver, workerId);
    return [stdout, stderr].filter((text) => text !== '').join('\n');
  }

  async close(): Promise<void> {
    await Promise.all([this.#options.server.close(), this.#options.ui?.close()]);
  }

  #waitsFor(driver: string): string | null {
    const now = this.#options.clock.monotonic();
    if (this.#queued?.driver !== driver) this.#queued = { driver, since: now };
    const waited = now - this.#queued.since;
    if (waited < QUEUED_MS) return null;
    return `its driver ${driver} waits: no worker has the memory and the cores that it asks for`;
  }

  async #failure(driver: string, { state, message, workerId }: DriverStatus): Promise<SluiceError> {
    if (state === 'KILLED') return new SluiceError('JOB_FAILED', `running ${driver}: somebody ended it`);
    const said = message === null ? null : clusterReason(message);
    const reason = said ?? (await this.#written(driver, workerId));
    return new SluiceError('JOB_FAILED', `running ${driver}: ${reason ?? `${state ?? ''}, without a reason`}`);
  }

  /** What the driver wrote is worth a look, and no reason to wait. */
  async #written(driver: string, workerId: string | null): Promise<string | null> {
    const { stdout, stderr } = await this.#streams(driver, workerId).catch(() => ({ stdout: '', stderr: '' }));
    return reasonIn(stderr, stdout);
  }

  async #streams(
    driver: string,
    workerId: string | null,
  ): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const { ui } = this.#options;
    return ui === null || workerId === null ? { stdout: '', stderr: '' } : ui.driverOutput(driver, workerId);
  }
}

/** `Exception from the cluster:` and, below it, a Java stack trace. */
function clusterReason(message: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  const [first = '', second = ''] = lines;
  return shorten(first.startsWith('Exception from the cluster') && second !== '' ? second : first);
}
