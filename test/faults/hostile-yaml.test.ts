import { cleanUp, HubFolder } from '../cli/support/hub-folder.ts';

/** Configuration that wants to hurt its reader: a problem with a place, quickly, and never a crash. */
jest.setTimeout(60_000);
afterEach(cleanUp);

const laughs = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
  .split('')
  .map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghi'[index]!}`).join(',')}]`)
  .join('\n')}\n`;

test.each([
  ['a billion laughs', laughs],
  ['nesting of 10,000', `name: x\nsources: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`],
  ['a tag of another language', 'name: !!js/function "function () { process.exit(9) }"\nsources: []\n'],
  ['a merge of __proto__', 'name: x\n__proto__: { polluted: true }\nsources: [{ <<: { __proto__: { a: 1 } } }]\n'],
  ['50 MB', `name: x\n# ${'y'.repeat(50_000_000)}\n`],
  ['bytes that are no text', '\u0000\u0001\ufffe\n'],
  ['nothing', ''],
  ['a list', '- 1\n- 2\n'],
  ['tabs for indentation', 'name: x\nsources:\n\t- file: {}\n'],
  ['two documents', 'name: a\n---\nname: b\n'],
])('%s is a problem with a place and exit code 2', async (_name, text) => {
  const folder = await HubFolder.create({ 'hostile.yaml': text });
  const started = performance.now();
  const command = folder.sluice('validate', '--json');
  expect(await command.exit()).toBe(2);
  // Most of it is the start of the process; beside other tests it may take long.
  expect(performance.now() - started).toBeLessThan(5000);
  const { problems } = JSON.parse(command.stdout) as {
    problems: { file: string; line: number; column: number; code: string; message: string }[];
  };
  expect(problems.length).toBeGreaterThan(0);
  for (const { file, line, column, code, message } of problems) {
    expect(file).toContain('hostile.yaml');
    expect(Math.min(line, column)).toBeGreaterThan(0);
    expect(code).toMatch(/^CONFIG_[A-Z_]+$/);
    expect(message.length).toBeLessThan(500);
  }
});
