import { probeText } from '../../testing/index.ts';
import { Unprovable, type TrialSetting } from './trial.ts';

/** Few enough for each to have many probes, many enough to spread. */
export const KEYS = 8;

/** The key of a probe. Probes of one key differ in their stamp only, so that the pipeline's own `key` keeps them together. */
export function keyOf(number: number): number {
  return number % KEYS;
}

export function isText({ sample }: TrialSetting): boolean {
  return sample !== null && !sample.every(isObjectText);
}

/** Makes the value of a probe: a sample with the stamp in it, or a small object. `base`: the number of the source's first probe in the run. */
export function probeValues(setting: TrialSetting, base: number): (number: number) => string {
  const { run, sample } = setting;
  if (sample?.length === 0) throw new Unprovable('the sample has no line');
  const asText = isText(setting);
  return (number) => {
    const key = base + keyOf(number);
    const stamp = probeText({ run, number: base + number, key });
    if (sample === null) return JSON.stringify({ sluice_probe: stamp, key: `probe-${key}`, number: base + number });
    const line = sample[keyOf(number) % sample.length]!;
    // In front: sinks for people cut long values.
    return asText ? `${line} ${stamp}` : JSON.stringify({ sluice_probe: stamp, ...(JSON.parse(line) as object) });
  };
}

function isObjectText(line: string): boolean {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
