import { execFile } from 'node:child_process';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './folders.ts';

const run = promisify(execFile);

/** `group:artifact:version`, each pinned: a range would download the description of every version. */
export type Coordinates = string;

/**
 * The class path of these artifacts and all that they need but `without` (`group:artifact`, `group:*`), resolved once by Maven and remembered in the cache folder
 * under `name`. Rejects when Java or Maven is missing or an artifact cannot be had.
 */
export async function resolveClasspath(
  name: string,
  artifacts: readonly Coordinates[],
  without: readonly string[] = [],
): Promise<string> {
  const folder = join(cacheFolder(), name);
  const file = join(folder, 'classpath.txt');
  const pom = projectFile(name, artifacts, without);
  const remembered = await rememberedClasspath(folder, pom);
  if (remembered !== null) return remembered;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'pom.xml'), pom);
  const temporary = `${file}.${process.pid}`;
  await run(
    'mvn',
    ['-q', '-B', '-f', join(folder, 'pom.xml'), 'dependency:build-classpath', `-Dmdep.outputFile=${temporary}`],
    {
      timeout: 600_000,
    },
  );
  // Last: a half-written class path is never remembered.
  await rename(temporary, file);
  return (await readFile(file, 'utf8')).trim();
}

/** Null when nothing is remembered, when it was for other artifacts, or when Maven's own repository was emptied since. */
async function rememberedClasspath(folder: string, pom: string): Promise<string | null> {
  try {
    if ((await readFile(join(folder, 'pom.xml'), 'utf8')) !== pom) return null;
    const classpath = (await readFile(join(folder, 'classpath.txt'), 'utf8')).trim();
    await Promise.all(classpath.split(delimiter).map((jar) => access(jar)));
    return classpath;
  } catch {
    return null;
  }
}

function projectFile(name: string, artifacts: readonly Coordinates[], without: readonly string[]): string {
  const exclusions = without.map((coordinates) => {
    const [group, artifact] = coordinates.split(':');
    return `<exclusion><groupId>${group}</groupId><artifactId>${artifact}</artifactId></exclusion>`;
  });
  const excluded = exclusions.length === 0 ? '' : `<exclusions>${exclusions.join('')}</exclusions>`;
  const dependencies = artifacts.map((coordinates) => {
    const [group, artifact, version] = coordinates.split(':');
    return `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${excluded}</dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice.services</groupId><artifactId>${name}</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}
