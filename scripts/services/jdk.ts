import { readFile, readdir, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';

/** The programs of a Java, by their paths. */
export interface Jdk {
  readonly java: string;
  readonly javac: string;
}

/** Where Debian, Fedora and Adoptium's packages put them. */
const SYSTEM_FOLDER = '/usr/lib/jvm';

/** The first Java of this version or a later one: that of JAVA_HOME, of the path, or another one that is installed. Rejects when there is none. */
export async function jdkFrom(version: number): Promise<Jdk> {
  for (const home of await homes()) {
    if ((await versionOf(home)) >= version)
      return { java: join(home, 'bin', 'java'), javac: join(home, 'bin', 'javac') };
  }
  throw new Error(`looking for a JDK ${version} or later: neither JAVA_HOME nor the path nor ${SYSTEM_FOLDER} has one`);
}

async function homes(): Promise<readonly string[]> {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'javac'));
  const [found] = (await Promise.all(onPath.map((file) => realpath(file).catch(() => null)))).filter(
    (file) => file !== null,
  );
  const installed = await readdir(SYSTEM_FOLDER).catch(() => []);
  return [
    ...(process.env.JAVA_HOME === undefined ? [] : [process.env.JAVA_HOME]),
    ...(found === undefined ? [] : [dirname(dirname(found))]),
    ...installed.sort().map((name) => join(SYSTEM_FOLDER, name)),
  ];
}

/** Its first number, from the file `release` that every JDK has; 0 when it is none. */
async function versionOf(home: string): Promise<number> {
  const text = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  return Number(/^JAVA_VERSION="(\d+)/m.exec(text)?.[1] ?? 0);
}
