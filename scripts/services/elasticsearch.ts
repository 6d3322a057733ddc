import { delimiter, join } from 'node:path';
import { startChildren } from './child.ts';
import { compileJava } from './java.ts';
import { jdkFrom, type Jdk } from './jdk.ts';
import { resolveClasspath } from './maven.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import type { Service, Settings } from './service.ts';

export const elasticsearchVersion = '8.19.21';
const elasticsearch9Version = '9.5.3';
/** What Elasticsearch 9 runs on. */
export const elasticsearch9Java = 21;

/** A main and a plugin of our own, parts of them by version: Maven Central has the server, not the distribution around it. */
const sources = join(import.meta.dirname, 'elasticsearch');

export interface ElasticsearchAddress {
  readonly url: string;
}

interface Release {
  readonly version: string;
  /** The folder of the sources that other versions have otherwise. */
  readonly major: '8' | '9';
  readonly jdk: () => Promise<Jdk>;
}

/**
 * The core server: bulk, search, templates, data streams, ingest, cluster settings. Without scripts, reindexing, ILM and security; the setting
 * `testes.authorization` asks for an Authorization header, `POST /_testes/hold/write` lets all writes wait until `DELETE /_testes/hold`.
 */
export const elasticsearch = serviceOf({
  version: elasticsearchVersion,
  major: '8',
  jdk: () => Promise.resolve({ java: 'java', javac: 'javac' }),
});

/** The same of the next release; it wants a Java of its own. */
export const elasticsearch9 = serviceOf({
  version: elasticsearch9Version,
  major: '9',
  jdk: () => jdkFrom(elasticsearch9Java),
});

function serviceOf(release: Release): Service<ElasticsearchAddress> {
  return {
    summary: `Elasticsearch ${release.version}, one node`,
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
      const { java, javac } = await release.jdk();
      const node = {
        name: 'node-1',
        command: java,
        parameters: [
          '-Xmx512m',
          '-XX:+UseSerialGC',
          '-Dlog4j2.disable.jmx=true',
          `-Dlog4j2.configurationFile=${join(sources, 'log4j2.properties')}`,
          '-cp',
          await classpathOf(release, javac),
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
}

async function classpathOf({ version, major }: Release, javac: string): Promise<string> {
  const name = `elasticsearch-${version}`;
  const jars = await resolveClasspath(name, [
    `org.elasticsearch:elasticsearch:${version}`,
    `org.elasticsearch.plugin:transport-netty4:${version}`,
  ]);
  return [await compileJava(name, [sources, join(sources, major)], { jars, javac }), jars].join(delimiter);
}
