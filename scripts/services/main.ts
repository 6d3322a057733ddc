/** `npm run services -- up|down|status [NAME…] [--json]`: real servers for tests and trials, from Maven Central, without Docker. */
import { parseArgs } from 'node:util';
import { runFolder } from './folders.ts';
import { down, isServiceName, known, running, services, up, type ServiceName } from './services.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(parameters: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: parameters,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
  });
  const [command, ...given] = positionals;
  const names = given.filter(isServiceName);
  if (names.length < given.length || !['up', 'down', 'status'].includes(command ?? '')) {
    console.error(usage(given.filter((name) => !isServiceName(name))));
    return 2;
  }
  const folder = runFolder();
  const ups = command === 'up' ? names : [];
  const downs = command !== 'down' ? [] : names.length > 0 ? names : await known(folder);
  for (const name of ups) await up(name, folder);
  for (const name of downs) await down(name, folder, { keepData: values.keep });
  await print(names.length > 0 && command !== 'down' ? names : await known(folder), folder, values.json);
  return 0;
}

function usage(unknown: readonly string[]): string {
  const list = Object.entries(services).map(([name, { summary }]) => `  ${name.padEnd(16)} ${summary}`);
  const problem = unknown.length > 0 ? `No service ${unknown.map((name) => `"${name}"`).join(', ')}.\n` : '';
  return `${problem}Usage: npm run services -- up NAME… | down [NAME…] [--keep] | status [NAME…]   (--json)\n${list.join('\n')}\n--keep leaves the data for the next up.`;
}

async function print(names: readonly ServiceName[], folder: string, json: boolean): Promise<void> {
  const instances = await Promise.all(names.map(async (name) => [name, await running(name, folder)] as const));
  if (json) {
    const up = instances.flatMap(([name, instance]) => (instance === null ? [] : [[name, instance.where]]));
    console.log(JSON.stringify(Object.fromEntries(up)));
    return;
  }
  if (instances.length === 0) console.log('No service is up. Start one: npm run services -- up kafka');
  for (const [name, instance] of instances) {
    const where = Object.entries(instance?.where ?? {}).map(([key, value]) => `${key}=${value}`);
    console.log(`${name.padEnd(16)} ${instance === null ? 'down' : `up   ${where.join(' ')}`}`);
  }
}
