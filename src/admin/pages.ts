import type { HubStatus, SupervisedState } from '../supervisor/index.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_HEADERS = { 'Content-Type': 'application/json' };
/** What a pipeline does its work in; `paused` only waits for an operator with one leg. */
const READY: readonly SupervisedState[] = ['running', 'degraded', 'paused'];

export function answerIndex(): Answer {
  const pages = [
    '/status    what each source and sink is doing, as JSON',
    '/metrics   numbers for Prometheus',
    '/health    200 while the hub runs, 503 once it drains',
    '/ready     200 while every pipeline is at work and its topics can be reached',
  ];
  return { status: 200, text: `${pages.join('\n')}\n` };
}

export function answerHealth({ isDraining }: HubStatus, version: string): Answer {
  return json(isDraining ? 503 : 200, { status: isDraining ? 'draining' : 'ok', version });
}

export function answerReady({ isDraining, pipelines }: HubStatus): Answer {
  const waiting = pipelines
    .filter(({ state, waitsFor }) => !READY.includes(state) || waitsFor !== null)
    .map(({ name, state, reason }) => ({ pipeline: name, state, reason }));
  const isReady = !isDraining && waiting.length === 0;
  return json(isReady ? 200 : 503, { ready: isReady, waiting });
}

export function answerStatus(status: HubStatus, version: string): Answer {
  return json(200, { version, ...status });
}

export function answerMetrics(text: string): Answer {
  return { status: 200, text, headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' } };
}

// Indented: as often as a program, a person with curl reads it.
function json(status: number, value: object): Answer {
  return { status, text: `${JSON.stringify(value, null, 2)}\n`, headers: JSON_HEADERS };
}
