import { type Coordinates, resolveClasspath } from '../../scripts/services/maven.ts';
import type { Program } from '../process.ts';

/** What has to be had from Maven, under the name of its folder in the cache. */
export interface Artifacts {
  readonly name: string;
  readonly coordinates: readonly Coordinates[];
}

/** Downloads what is not in the cache. Why it cannot be had; null when it is there. */
export async function javaMissing({ name, coordinates }: Artifacts): Promise<string | null> {
  try {
    await resolveClasspath(name, coordinates);
    return null;
  } catch (error) {
    const [reason] = (error as Error).message.split('\n', 1);
    return `needs Java and Maven, and the network the first time: ${reason}`;
  }
}

export async function javaProgram(
  { name, coordinates }: Artifacts,
  { options, main, parameters }: { options: readonly string[]; main: string; parameters: readonly string[] },
): Promise<Program> {
  return {
    command: 'java',
    parameters: [...options, main, ...parameters],
    // By the environment: the class path is thousands of characters, which a failure would print.
    environment: { CLASSPATH: await resolveClasspath(name, coordinates) },
  };
}

/** As Java reads settings (java.util.Properties). */
export function propertiesText(settings: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}
