import { SluiceError, type JobState } from 'sluice/api';
import type { SubmitOptions } from '../options.ts';
import { reasonIn } from '../reason.ts';

interface Ended {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What the end of spark-submit says of the job. In client mode it is the driver; for a cluster of YARN it waits, and fails with it. For one of Kubernetes its exit code says
 * nothing (SPARK-26365): the last phase of the pod that it logged does.
 */
export function outcomeOf({ master, deploy_mode: deployMode }: SubmitOptions, ended: Ended): JobState {
  const { exit, stdout, stderr } = ended;
  if (exit !== 0) return failed(reasonIn(stderr, stdout) ?? `exit code ${exit}`);
  if (deployMode === 'client' || master === 'yarn') return { state: 'succeeded' };
  const phase = [...stderr.matchAll(/\bphase:\s*(\w+)/g)].at(-1)?.[1] ?? null;
  if (phase === 'Succeeded') return { state: 'succeeded' };
  if (phase === 'Failed') return failed(reasonIn(stderr, stdout) ?? 'its pod failed');
  return { state: 'unknown' };
}

/** What ends the job where the end of spark-submit does not: arguments of a program; null when it does, or when nothing is there yet. */
export function endCommand(
  { command, master, deploy_mode: deployMode, yarn_command: yarn }: SubmitOptions,
  { stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>,
): { readonly command: string; readonly args: readonly string[] } | null {
  if (deployMode === 'client') return null;
  const said = `${stdout}\n${stderr}`;
  if (master === 'yarn') {
    const id = /\bapplication_\d+_\d+\b/.exec(said)?.[0];
    return id === undefined || yarn === undefined ? null : { command: yarn, args: ['application', '-kill', id] };
  }
  const pod = /submission ID ([\w.-]+:[\w.-]+)/i.exec(said)?.[1];
  return pod === undefined ? null : { command, args: ['--kill', pod, '--master', master] };
}

function failed(reason: string): JobState {
  return { state: 'failed', error: new SluiceError('JOB_FAILED', `running spark-submit: ${reason}`) };
}
