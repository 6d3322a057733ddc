/** One life of a pipeline on trial: the entry of the processes that `sluice prove` starts and kills. */
import { readFile } from 'node:fs/promises';
import type { HubPlan } from '../../config/index.ts';
import { HubRun } from '../hub-run.ts';

const [, , planFile = '', mode] = process.argv;
const { stdout, stderr, env } = process;
const plan = JSON.parse(await readFile(planFile, 'utf8')) as HubPlan;
const options = { once: mode === 'once', timeoutMs: 300_000, verbose: false, json: true };
process.exitCode = await new HubRun(plan, options, { stdout, stderr, env, cwd: process.cwd() }).run();
