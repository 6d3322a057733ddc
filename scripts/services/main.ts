/** `npm run services -- up|down|status [NAME…] [--json]`: real servers for tests and trials, from Maven Central, without Docker. */
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isAlive, stopChild } from './child.ts';
import { runFolder } from './folders.ts';
import { kafkaServices } from './kafka.ts';
import type { Instance, Service } from './service.ts';

const services: readonly Service[] = [...kafkaServices];

process.exitCode = await main(process.argv.slice(2));

async function main(parameters: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: parameters,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
  });
  const [command, ...names] = positionals;
  const unknown = names.filter((name) => !services.some((service) => service.name === name));
  if (unknown.length > 0 || !['up', 'down', 'status'].includes(command ?? '')) {
    console.error(usage(unknown));
    return 2;
  }
  if (command === 'up') for (const name of names) await up(name);
  if (command === 'down') for (const name of names.length > 0 ? names : await known()) await down(name, values.keep);
  await print(names.length > 0 && command !== 'down' ? names : await known(), values.json);
  return 0;
}

function usage(unknown: readonly string[]): string {
  const list = services.map(({ name, summary }) => `  ${name.padEnd(16)} ${summary}`).join('\n');
  const problem = unknown.length > 0 ? `No service ${unknown.map((name) => `"${name}"`).join(', ')}.\n` : '';
  return `${problem}Usage: npm run services -- up NAME… | down [NAME…] [--keep] | status [NAME…]   (--json)\n${list}\n--keep leaves the data for the next up.`;
}

async function up(name: string): Promise<void> {
  if ((await running(name)) !== null) return;
  await down(name, true);
  const folder = join(runFolder(), name);
  await mkdir(folder, { recursive: true });
  const instance = await services.find((service) => service.name === name)!.up(folder);
  const file = join(folder, 'instance.json');
  await writeFile(`${file}.new`, JSON.stringify(instance, null, 2));
  await rename(`${file}.new`, file);
}

async function down(name: string, keep: boolean): Promise<void> {
  const instance = await recorded(name);
  await Promise.all(instance?.children.map((child) => stopChild(child)) ?? []);
  const folder = join(runFolder(), name);
  await rm(keep ? join(folder, 'instance.json') : folder, { recursive: true, force: true });
}

/** What `up` started; null when it did not, or `down` came since. */
async function recorded(name: string): Promise<Instance | null> {
  try {
    return JSON.parse(await readFile(join(runFolder(), name, 'instance.json'), 'utf8')) as Instance;
  } catch {
    return null;
  }
}

/** Null when any of its processes has ended. */
async function running(name: string): Promise<Instance | null> {
  const instance = await recorded(name);
  const alive = await Promise.all(instance?.children.map(isAlive) ?? []);
  return alive.every(Boolean) ? instance : null;
}

async function known(): Promise<string[]> {
  try {
    return (await readdir(runFolder())).filter((name) => services.some((service) => service.name === name));
  } catch {
    return [];
  }
}

async function print(names: readonly string[], json: boolean): Promise<void> {
  const instances = await Promise.all(names.map(async (name) => [name, await running(name)] as const));
  if (json) {
    console.log(
      JSON.stringify(
        Object.fromEntries(
          instances.flatMap(([name, instance]) => (instance === null ? [] : [[name, instance.where]])),
        ),
      ),
    );
    return;
  }
  if (instances.length === 0) console.log('No service is up. Start one: npm run services -- up kafka');
  for (const [name, instance] of instances) {
    const where = Object.entries(instance?.where ?? {}).map(([key, value]) => `${key}=${value}`);
    console.log(`${name.padEnd(16)} ${instance === null ? 'down' : `up   ${where.join(' ')}`}`);
  }
}
