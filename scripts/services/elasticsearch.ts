import { delimiter, join } from 'node:path';
import { startChildren } from './child.ts';
import { compileJava } from './java.ts';
import { resolveClasspath } from './maven.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import type { Service, Settings } from './service.ts';

export const elasticsearchVersion = '8.19.21';

/** A main and a plugin of our own: Maven Central has the server, not the distribution around it. */
const sources = join(import.meta.dirname, 'elasticsearch');

export interface ElasticsearchAddress {
  readonly url: string;
}

/**
 * The core server: bulk, search, templates, data streams, ingest, cluster settings. Without scripts, reindexing, ILM and security; the setting
 * `testes.authorization` asks for an Authorization header, `POST /_testes/hold/write` lets all writes wait until `DELETE /_testes/hold`.
 */
export const elasticsearch: Service<ElasticsearchAddress> = {
  summary: `Elasticsearch ${elasticsearchVersion}, one node`,
  async up(folder, settings) {
    const [http, transport] = (await freePorts(2)) as [number, number];
    const url = `http://127.0.0.1:${http}`;
    const all: Settings = {
      'path.home': folder,
      'http.port': http,
      'transport.port': transport,
      // With a small heap and the serial collector the parent breaker would count garbage, and refuse at random.
      'indices.breaker.total.use_real_memory': false,
      ...settings,
    };
    const node = {
      name: 'node-1',
      command: 'java',
      parameters: [
        '-Xmx512m',
        '-XX:+UseSerialGC',
        '-Dlog4j2.disable.jmx=true',
        `-Dlog4j2.configurationFile=${join(sources, 'log4j2.properties')}`,
        '-cp',
        await elasticsearchClasspath(),
        'org.elasticsearch.node.TestNode',
        ...Object.entries(all).map(([name, value]) => `${name}=${value}`),
      ],
      logFile: join(folder, 'server.log'),
      cwd: folder,
      probe: {
        http: `${url}/_cluster/health?wait_for_status=yellow&timeout=1s`,
        authorization: String(all['testes.authorization'] ?? ''),
      },
    };
    return { children: await startChildren([node]), where: { url } };
  },
};

async function elasticsearchClasspath(): Promise<string> {
  const jars = await resolveClasspath(`elasticsearch-${elasticsearchVersion}`, [
    `org.elasticsearch:elasticsearch:${elasticsearchVersion}`,
    `org.elasticsearch.plugin:transport-netty4:${elasticsearchVersion}`,
  ]);
  return [await compileJava(`elasticsearch-${elasticsearchVersion}`, sources, jars), jars].join(delimiter);
}
