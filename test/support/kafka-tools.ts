import { execFile } from 'node:child_process';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const pom = join(import.meta.dirname, 'kafka-tools', 'pom.xml');
const cacheFolder = join(homedir(), '.cache', 'sluice', 'kafka-tools-4.3.1');
const classpathFile = join(cacheFolder, 'classpath.txt');

/**
 * The class path of Kafka's own tools (kafka_2.13 and kafka-tools 4.3.1), resolved once by Maven and remembered in the user's
 * cache folder. Null where Java or Maven is missing or nothing can be downloaded: such tests are then skipped, except with
 * `CI=true`, where that is an error. The first call may take a minute.
 */
export async function kafkaClasspath(): Promise<string | null> {
  const remembered = await readClasspath();
  if (remembered !== null) return remembered;
  try {
    await run('java', ['-version'], { timeout: 20_000 });
    await mkdir(cacheFolder, { recursive: true });
    const temporary = `${classpathFile}.${String(process.pid)}`;
    const goal = ['dependency:build-classpath', `-Dmdep.outputFile=${temporary}`];
    await run('mvn', ['-q', '-B', '-f', pom, ...goal], { timeout: 240_000 });
    await rename(temporary, classpathFile);
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    return null;
  }
  return readClasspath();
}

/**
 * Runs a class of the class path, or a source file that ends in `.java`, and resolves with what it printed. Rejects, with
 * `stdout` and `stderr` on the error, when it exits with another code than 0.
 */
export async function runKafkaJava(
  classpath: string,
  main: string,
  parameters: readonly string[],
): Promise<{ stdout: string; stderr: string }> {
  // The tools end within seconds: the quick compiler alone saves most of their start.
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classpath];
  return run('java', [...jvm, main, ...parameters], { timeout: 120_000, maxBuffer: 256 * 1024 * 1024 });
}

async function readClasspath(): Promise<string | null> {
  try {
    const text = (await readFile(classpathFile, 'utf8')).trim();
    if (text === '') return null;
    // Maven's repository may have been emptied since.
    await Promise.all(text.split(delimiter).map((jar) => access(jar)));
    return text;
  } catch {
    return null;
  }
}
