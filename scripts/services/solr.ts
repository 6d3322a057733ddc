import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChildren, stopChild, type Child, type Launch } from './child.ts';
import { exists } from './folders.ts';
import { compileJava } from './java.ts';
import { resolveClasspath } from './maven.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import type { Service, Settings } from './service.ts';
import { launchZooKeeper } from './zookeeper.ts';

export const solrVersion = '9.10.1';
const jettyVersion = '10.0.26';
const nodesWithinMs = 60_000;

/** A main and configuration of our own: Maven Central has the server, not the distribution around it. */
const sources = join(import.meta.dirname, 'solr');

/** `sluice`: a schema that may be changed. `strict`: the same, fixed. Both have the update chains `tolerant` and `versioned`. */
const configSets = ['sluice', 'strict'] as const;

export interface SolrAddress {
  /** With the context path: `http://127.0.0.1:8983/solr`. */
  readonly url: string;
}

export interface SolrCloudAddress extends SolrAddress {
  /** Of each node, with commas. */
  readonly urls: string;
}

/**
 * Cores are made by `/admin/cores?action=CREATE&name=NAME&configSet=sluice`. Settings are system properties of its process, but `users`:
 * `NAME:PASSWORD:ROLE,…`, of which the first has to have the role `admin`; `reader` may read. With `sluice.keyStore` and `sluice.securePort` it speaks TLS there.
 */
export const solr: Service<SolrAddress> = {
  summary: `Solr ${solrVersion}, one node without a cloud`,
  async up(folder, settings) {
    const [port] = (await freePorts(1)) as [number];
    const home = join(folder, 'node-1');
    for (const name of configSets) {
      const conf = join(home, 'configsets', name, 'conf');
      await mkdir(conf, { recursive: true });
      for (const [file, content] of Object.entries(await filesOf(name))) await writeFile(join(conf, file), content);
    }
    const node = await launchNode(home, 'node-1', { port, settings, solrXml: 'standalone.xml', zooKeeper: null });
    return { children: await startChildren([node]), where: { url: urlOf(port) } };
  },
};

/** Its processes are `node-1`, `node-2` and `zookeeper`. Both config sets are there; collections are made by their tests. Settings as those of `solr`. */
export const solrCloud: Service<SolrCloudAddress> = {
  summary: `SolrCloud ${solrVersion}, two nodes and their ZooKeeper`,
  async up(folder, settings) {
    const [keeperPort, ...ports] = (await freePorts(3)) as [number, number, number];
    const keepers = await startChildren([await launchZooKeeper(folder, keeperPort)]);
    try {
      const nodes = await Promise.all(
        ports.map((port, index) =>
          launchNode(join(folder, `node-${index + 1}`), `node-${index + 1}`, {
            port,
            settings,
            solrXml: 'cloud.xml',
            zooKeeper: `127.0.0.1:${keeperPort}`,
          }),
        ),
      );
      const children = await startChildren(nodes);
      await prepared(children, urlOf(ports[0]), settings);
      const where = { url: urlOf(ports[0]), urls: ports.map(urlOf).join(',') };
      // The nodes first: they say good-bye to ZooKeeper when they stop.
      return { children: [...children, ...keepers], where };
    } catch (error) {
      await Promise.all(keepers.map((child) => stopChild(child, 'SIGKILL')));
      throw error;
    }
  },
};

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}/solr`;
}

async function filesOf(name: (typeof configSets)[number]): Promise<Readonly<Record<string, string>>> {
  const [schema, config] = await Promise.all(
    ['managed-schema.xml', 'solrconfig.xml'].map((file) => readFile(join(sources, file), 'utf8')),
  );
  if (name === 'sluice') return { 'managed-schema.xml': schema!, 'solrconfig.xml': config! };
  const fixed = '<schemaFactory class="ClassicIndexSchemaFactory"/>';
  return { 'schema.xml': schema!, 'solrconfig.xml': config!.replace(/<schemaFactory.*<\/schemaFactory>/s, fixed) };
}

interface Node {
  readonly port: number;
  readonly settings: Settings;
  readonly solrXml: string;
  readonly zooKeeper: string | null;
}

async function launchNode(
  home: string,
  name: string,
  { port, settings: { users = '', ...settings }, solrXml, zooKeeper }: Node,
): Promise<Launch> {
  await mkdir(home, { recursive: true });
  await copyFile(join(sources, solrXml), join(home, 'solr.xml'));
  const security = join(home, 'security.json');
  if (users !== '' && !(await exists(security))) await writeFile(security, securityFor(String(users)));
  const authorization = authorizationOf(users);
  return {
    name,
    command: 'java',
    parameters: [
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Djava.awt.headless=true',
      `-Dlog4j2.configurationFile=${join(sources, 'log4j2.properties')}`,
      ...Object.entries(settings).map(([property, value]) => `-D${property}=${value}`),
      '-cp',
      await solrClasspath(),
      'SolrNode',
      String(port),
      home,
      ...(zooKeeper === null ? [] : [zooKeeper]),
    ],
    logFile: join(home, 'server.log'),
    cwd: home,
    probe: {
      http: `${urlOf(port)}${zooKeeper === null ? '/admin/cores?action=STATUS' : '/admin/info/health'}`,
      authorization,
    },
  };
}

async function solrClasspath(): Promise<string> {
  const name = `solr-${solrVersion}`;
  const jetty = ['jetty:jetty-server', 'jetty:jetty-servlet', 'jetty.http2:http2-server'];
  // Jetty brings the same classes.
  const jars = await resolveClasspath(
    name,
    [`org.apache.solr:solr-core:${solrVersion}`, ...jetty.map((artifact) => `org.eclipse.${artifact}:${jettyVersion}`)],
    ['javax.servlet:javax.servlet-api'],
  );
  return [await compileJava(name, [sources], { jars }), jars].join(delimiter);
}

/** Waits until the nodes know each other: replicas of a collection made earlier would all lie on one. Then brings the config sets. */
async function prepared(children: readonly Child[], url: string, { users = '' }: Settings): Promise<void> {
  const authorization = authorizationOf(users);
  const ask = async (path: string, body?: string): Promise<string> => {
    const response = await fetch(`${url}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body }),
      headers: { 'content-type': 'application/octet-stream', ...(authorization === '' ? {} : { authorization }) },
    });
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${await response.text()}`);
    return response.text();
  };
  try {
    const deadline = Date.now() + nodesWithinMs;
    for (let live = 0; live < children.length;) {
      const status = JSON.parse(await ask('/admin/collections?action=CLUSTERSTATUS')) as Status;
      live = status.cluster.live_nodes.length;
      if (Date.now() > deadline) throw new Error(`only ${live} of ${children.length} nodes after a minute`);
      if (live < children.length) await sleep(100);
    }
    for (const name of configSets) {
      for (const [file, content] of Object.entries(await filesOf(name))) {
        const query = `action=UPLOAD&name=${name}&filePath=${file}&overwrite=true&cleanup=false`;
        await ask(`/admin/configs?${query}`, content);
      }
    }
  } catch (error) {
    await Promise.all(children.map((child) => stopChild(child, 'SIGKILL')));
    throw error;
  }
}

interface Status {
  readonly cluster: { readonly live_nodes: readonly string[] };
}

function authorizationOf(users: Settings[string]): string {
  const [name, password] = String(users).split(',')[0]!.split(':');
  return password === undefined ? '' : `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/** `security.json` of Solr's reference guide: passwords are stored as base64(sha256(sha256(salt + password))) and the salt. */
function securityFor(users: string): string {
  const credentials: Record<string, string> = {};
  const roles: Record<string, string> = {};
  for (const user of users.split(',')) {
    const [name, password, role] = user.split(':') as [string, string, string];
    const salt = randomBytes(32);
    const hash = sha256(sha256(Buffer.concat([salt, Buffer.from(password)])));
    credentials[name] = `${hash.toString('base64')} ${salt.toString('base64')}`;
    roles[name] = role;
  }
  return JSON.stringify({
    authentication: { class: 'solr.BasicAuthPlugin', blockUnknown: true, credentials },
    authorization: {
      class: 'solr.RuleBasedAuthorizationPlugin',
      'user-role': roles,
      permissions: [
        { name: 'read', role: ['admin', 'reader'] },
        { name: 'all', role: 'admin' },
      ],
    },
  });
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
