import { delimiter, join } from 'node:path';
import { startChildren } from './child.ts';
import { compileJava } from './java.ts';
import { resolveClasspath } from './maven.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import type { Service, Settings } from './service.ts';

export const openSearchVersion = '2.19.5';
/** The version of log4j-api that it brings; it does not bring the core. */
const log4jVersion = '2.25.3';

/** A main of our own: Maven Central has the server, not the distribution around it. */
const sources = join(import.meta.dirname, 'opensearch');

interface OpenSearchAddress {
  readonly url: string;
}

/** The core server with scripts: bulk, search, templates, data streams. Without ingest processors, ISM and security. */
export const openSearch: Service<OpenSearchAddress> = {
  summary: `OpenSearch ${openSearchVersion}, one node`,
  async up(folder, settings) {
    const [http, transport] = (await freePorts(2)) as [number, number];
    const url = `http://127.0.0.1:${http}`;
    const all: Settings = { 'path.home': folder, 'http.port': http, 'transport.port': transport, ...settings };
    const node = {
      name: 'node-1',
      command: 'java',
      parameters: [
        '-Xmx512m',
        '-XX:+UseSerialGC',
        '-Dlog4j2.disable.jmx=true',
        `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'elasticsearch', 'log4j2.properties')}`,
        '-cp',
        await openSearchClasspath(),
        'OpenSearchNode',
        ...Object.entries(all).map(([name, value]) => `${name}=${value}`),
      ],
      logFile: join(folder, 'server.log'),
      cwd: folder,
      probe: { http: `${url}/_cluster/health?wait_for_status=yellow&timeout=1s`, authorization: '' },
    };
    return { children: await startChildren([node]), where: { url } };
  },
};

async function openSearchClasspath(): Promise<string> {
  const plugins = ['transport-netty4-client', 'lang-painless', 'analysis-common'];
  const jars = await resolveClasspath(`opensearch-${openSearchVersion}`, [
    `org.opensearch:opensearch:${openSearchVersion}`,
    ...plugins.map((plugin) => `org.opensearch.plugin:${plugin}:${openSearchVersion}`),
    `org.apache.logging.log4j:log4j-core:${log4jVersion}`,
  ]);
  return [await compileJava(`opensearch-${openSearchVersion}`, [sources], { jars }), jars].join(delimiter);
}
