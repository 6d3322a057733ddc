import { folderOf, removeFolders } from '../config/support/hub.ts';

afterEach(removeFolders);

async function problemsOf(leg: string): Promise<string[]> {
  const text = `name: a\ntopic: t\nsources: [{ generate: {} }]\nsinks: [{ ${leg} }]\n`;
  const folder = await folderOf({ 'sluice.yaml': 'kafka: embedded\n', 'pipelines/a.yaml': text });
  return folder.problems();
}

const kafka = (more: string): string => `kafka: { brokers: ['b:9092'], topic: t, ${more} }`;

test.each([
  ['sasl.jaas.config', kafka("'sasl.jaas.config': x")],
  ['ssl.truststore.location', kafka("client: { 'ssl.truststore.location': x }")],
  ['bootstrap.servers', kafka("client: { 'bootstrap.servers': 'evil:9092' }")],
  ['transactional_id', kafka('client: { transactional_id: mine }')],
  ['transactional.id', kafka("'transactional.id': mine")],
])('a pipeline has no way to set %s of a Kafka client', async (setting, leg) => {
  const problems = await problemsOf(leg);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain('CONFIG_UNKNOWN_OPTION');
  expect(problems[0]).toContain(`has no option \`${setting}\``);
});

test.each([
  ['an index', "elasticsearch: { endpoints: ['http://e:9200'], index: '{{ value.index }}' }"],
  ['an index of OpenSearch', "opensearch: { endpoints: ['http://o:9200'], index: '{{ key }}' }"],
  ['a collection', "solr: { endpoints: ['http://s:8983/solr'], collection: '{{ value.collection }}' }"],
  ['a topic', "kafka: { brokers: ['b:9092'], topic: '{{ value.topic }}' }"],
])('%s that records choose without a literal prefix is refused', async (_what, leg) => {
  expect(await problemsOf(leg)).toEqual([expect.stringContaining('CONFIG_UNCONFINED_TEMPLATE') as string]);
});
