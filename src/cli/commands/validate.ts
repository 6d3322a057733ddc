import { loadHub, type HubPlan, type Problem } from '../../config/index.ts';
import { createRegistry, type Registry } from '../../registry/index.ts';
import type { ConnectionFault } from '../connect-check.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import type { KafkaFinding } from '../kafka-check.ts';
import { counted } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { problemLines } from '../problems.ts';
import { writeOut } from '../write-out.ts';

export interface ValidateOptions {
  /** The hub file; looked for when it is not given. */
  readonly config?: string;
  /** Names or files of pipelines; none for all of the hub. */
  readonly pipelines: readonly string[];
  /** References without a value are errors. */
  readonly resolve: boolean;
  /** Connectors are asked whether they could start. */
  readonly connect: boolean;
  readonly json: boolean;
}

/** Prints everything that is wrong, or that nothing is. */
export async function validate(options: ValidateOptions, io: CliIo): Promise<ExitCode> {
  const { config: file, pipelines, resolve, connect, json } = options;
  const registry = createRegistry();
  const { cwd, env } = io;
  const { plan, problems } = await loadHub({
    ...(file === undefined ? {} : { file }),
    pipelines,
    cwd,
    env,
    registry,
    resolve,
  });
  const names = plan?.pipelines.map(({ name }) => name) ?? [];
  const { faults, kafka } = connect && plan !== null ? await askOutside(plan, { registry, env }) : NOT_ASKED;
  const isGood = plan !== null && faults.length === 0 && !kafka.some(({ severity }) => severity === 'error');
  if (json) await writeOut(io, jsonLine({ ok: isGood, pipelines: names, problems, unreachable: faults, kafka }));
  else {
    const unreachable = faults.map(({ pipeline, kind, leg, message }) => `${pipeline}, ${kind} ${leg}: ${message}`);
    const warnings = problems.length + kafka.filter(({ severity }) => severity === 'warning').length;
    const lines = [
      ...problemLines(problems, io),
      ...kafka.map(kafkaLine).map(printable),
      ...unreachable.map(printable),
      isGood ? goodLine(names, warnings) : badLine(problems, { connectors: faults.length, isKafka: kafka.length > 0 }),
    ];
    await writeOut(io, `${lines.join('\n')}\n`);
  }
  if (plan === null) return EXIT.usage;
  return isGood ? EXIT.done : EXIT.failed;
}

function goodLine(pipelines: readonly string[], warnings: number): string {
  if (pipelines.length === 0) return 'No pipeline was found. A folder with one: sluice init';
  const found = warnings === 0 ? 'nothing wrong' : `no errors, ${counted(warnings, 'warning')}`;
  return `${counted(pipelines.length, 'pipeline')}, ${found}. What would run: sluice plan`;
}

const NOT_ASKED: Outside = { faults: [], kafka: [] };

interface Outside {
  readonly faults: readonly ConnectionFault[];
  readonly kafka: readonly KafkaFinding[];
}

async function askOutside(
  plan: HubPlan,
  { registry, env }: { registry: Registry; env: NodeJS.ProcessEnv },
): Promise<Outside> {
  const { checkConnections } = await import('../connect-check.ts');
  const { checkKafka } = await import('../kafka-check.ts');
  const { kafka } = plan;
  const [faults, found] = await Promise.all([
    checkConnections(plan, registry, env),
    kafka === null ? [] : checkKafka({ ...plan, kafka }, env),
  ]);
  return { faults, kafka: found };
}

function kafkaLine({ pipeline, about, message, severity }: KafkaFinding): string {
  const place = pipeline === null ? about : `${pipeline}, ${about}`;
  return `${place}: ${severity === 'warning' ? 'warning: ' : ''}${message}`;
}

function badLine(
  problems: readonly Problem[],
  { connectors, isKafka }: { connectors: number; isKafka: boolean },
): string {
  if (connectors > 0) return `${counted(connectors, 'connector')} could not start here.`;
  if (isKafka) return 'The pipelines could not run on this Kafka.';
  const files = new Set(problems.map(({ file }) => file)).size;
  const found = `${counted(problems.length, 'problem')} in ${counted(files, 'file')}.`;
  const isAboutOptions = problems.some(({ code }) => code.endsWith('_OPTION') || code.endsWith('_CONNECTOR'));
  return isAboutOptions ? `${found} Options of a connector: sluice connectors NAME` : found;
}
