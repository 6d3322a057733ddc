import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, stopChild, stopInOrder, type Child } from './child.ts';
import { elasticsearch, elasticsearch9 } from './elasticsearch.ts';
import { kafka, kafkaCluster, kafkaSecured } from './kafka.ts';
import { kafka010, kafka20, kafka28 } from './kafka-old.ts';
import { livy } from './livy.ts';
import { openSearch } from './opensearch.ts';
import type { Instance, Service, Settings } from './service.ts';
import { solr, solrCloud } from './solr.ts';
import { spark } from './spark.ts';

/** Real servers for tests, proofs and trials, from Maven Central, without Docker. */
export const services = {
  kafka,
  'kafka-cluster': kafkaCluster,
  'kafka-secured': kafkaSecured,
  'kafka-2.8': kafka28,
  'kafka-2.0': kafka20,
  'kafka-0.10': kafka010,
  elasticsearch,
  'elasticsearch-9': elasticsearch9,
  opensearch: openSearch,
  solr,
  'solr-cloud': solrCloud,
  spark,
  livy,
} satisfies Readonly<Record<string, Service<unknown>>>;

export type ServiceName = keyof typeof services;

/** Where clients find it. */
export type Address<Name extends ServiceName> = Awaited<ReturnType<(typeof services)[Name]['up']>>['where'];

export function isServiceName(name: string): name is ServiceName {
  return Object.hasOwn(services, name);
}

/** Starts the service below `runFolder`, unless it runs there already. `settings` count for a new start only. */
export async function up<Name extends ServiceName>(
  name: Name,
  runFolder: string,
  settings: Settings = {},
): Promise<Instance<Address<Name>>> {
  const current = await running(name, runFolder);
  if (current !== null) return current;
  // What is left of it: the other processes of a cluster of which one has ended.
  await down(name, runFolder, { keepData: true });
  const folder = join(runFolder, name);
  await mkdir(folder, { recursive: true });
  const service = services[name] as unknown as Service<Address<Name>>;
  const instance = await service.up(folder, settings);
  await record(folder, instance);
  return instance;
}

/** Ends the service's own processes and deletes its folder, unless its data shall stay for the next `up`. */
export async function down(name: ServiceName, runFolder: string, options: { keepData?: boolean } = {}): Promise<void> {
  const folder = join(runFolder, name);
  const children = (await recorded(folder))?.children ?? [];
  if (options.keepData === true) {
    await stopInOrder(children);
    await rm(instanceFile(folder), { force: true });
  } else {
    // No reason to let them write down what is deleted next.
    await Promise.all(children.map((child) => stopChild(child, 'SIGKILL')));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Null when it was not started below this folder, or any of its processes has ended. */
export async function running<Name extends ServiceName>(
  name: Name,
  runFolder: string,
): Promise<Instance<Address<Name>> | null> {
  const instance = await recorded(join(runFolder, name));
  const alive = await Promise.all((instance?.children ?? []).map(isAlive));
  return alive.every(Boolean) ? (instance as Instance<Address<Name>> | null) : null;
}

/** The services that have a folder there, running or not. */
export async function known(runFolder: string): Promise<ServiceName[]> {
  try {
    return (await readdir(runFolder)).filter(isServiceName).sort();
  } catch {
    return [];
  }
}

/** Says which processes now belong to the instance, so that `down` ends those. */
export async function recordChildren(name: ServiceName, runFolder: string, children: readonly Child[]): Promise<void> {
  const folder = join(runFolder, name);
  const instance = await recorded(folder);
  if (instance !== null) await record(folder, { ...instance, children });
}

async function record(folder: string, instance: Instance<unknown>): Promise<void> {
  const file = instanceFile(folder);
  await writeFile(`${file}.new`, JSON.stringify(instance, null, 2));
  await rename(`${file}.new`, file);
}

/** What `up` started; null when it did not, or `down` came since. */
async function recorded(folder: string): Promise<Instance<unknown> | null> {
  try {
    return JSON.parse(await readFile(instanceFile(folder), 'utf8')) as Instance<unknown>;
  } catch {
    return null;
  }
}

function instanceFile(folder: string): string {
  return join(folder, 'instance.json');
}
