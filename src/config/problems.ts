/**
 * The closed catalogue of problems of configuration: what each code means to the person who reads it. A test holds it against
 * `docs/errors.md`.
 */
export const problemCatalogue = {
  CONFIG_UNREADABLE: 'A file cannot be read: it is missing, not a plain file, or not UTF-8.',
  CONFIG_TOO_LARGE: 'A file is larger than 256 KiB.',
  CONFIG_TOO_DEEP: 'A file nests deeper than 32 levels.',
  CONFIG_SYNTAX: 'A file is not the YAML that is read: bad syntax, a tag, a second document, too many aliases.',
  CONFIG_DUPLICATE_KEY: 'A key stands twice in one mapping.',
  CONFIG_FORBIDDEN_KEY: 'A key is not allowed anywhere: `__proto__`, `constructor`, `prototype`, or no text.',
  CONFIG_UNKNOWN_OPTION: 'There is no such option at this place.',
  CONFIG_MISSING_OPTION: 'An option that has to be there is not.',
  CONFIG_WRONG_TYPE: 'A value is of another type than the option wants.',
  CONFIG_BAD_VALUE: 'A value has the right type, but is not allowed.',
  CONFIG_BAD_DURATION: 'A value is no duration, or outside of the allowed range.',
  CONFIG_BAD_SIZE: 'A value is no size, or outside of the allowed range.',
  CONFIG_BAD_ADDRESS: 'A value is no address to listen on.',
  CONFIG_BAD_NAME: 'A name of a hub, pipeline, source, sink or topic has characters or a length that it may not have.',
  CONFIG_UNKNOWN_CONNECTOR: 'There is no source or sink of this name.',
  CONFIG_NO_CONNECTOR: 'An entry of `sources` or `sinks` names no connector.',
  CONFIG_SEVERAL_CONNECTORS: 'An entry of `sources` or `sinks` names more than one connector.',
  CONFIG_NO_LEGS: 'A pipeline has neither sources nor sinks.',
  CONFIG_NO_PIPELINE: 'A pattern or a name of pipelines finds none.',
  CONFIG_DUPLICATE_NAME: 'Two pipelines of the hub, or two sources or two sinks of a pipeline, have the same name.',
  CONFIG_ADDRESS_CONFLICT: 'Two listeners want the same address.',
  CONFIG_FOLDER_CONFLICT:
    'Two sinks write into the same folder, or one into a folder inside the other’s, or into the data folder.',
  CONFIG_RESOURCE_CONFLICT: 'Two connectors want something that only one can have.',
  CONFIG_TOPIC_CONFLICT: 'Two pipelines write the same topic, or a topic is also one for dead letters.',
  CONFIG_TOPIC_DIFFERS: 'A pipeline describes a topic otherwise than the pipeline that writes it.',
  CONFIG_TOPIC_UNWRITTEN: 'A pipeline reads a topic that no pipeline of this run writes.',
  CONFIG_CANNOT_REWIND: '`delivery: exactly_once` stands at a source whose input cannot be read again.',
  CONFIG_DELIVERY_UNSUPPORTED: '`delivery: exactly_once` stands where the topic cannot give it.',
  CONFIG_NO_EFFECT: 'An option has no effect where the topics of this hub live.',
  CONFIG_LISTENER_MEMORY: 'A listener may hold more than all listeners together.',
  CONFIG_RECORD_LIMIT: 'The record limit is larger than the buffers of a leg.',
  CONFIG_OPTION_CONFLICT: 'Options of a connector contradict each other.',
  CONFIG_BAD_EXPRESSION: 'An expression or a template does not compile.',
  CONFIG_UNCONFINED_TEMPLATE: 'A template that makes a name or a path does not start with literal text.',
  CONFIG_BAD_REFERENCE: 'A reference is not written as `${env:NAME}` or `${file:/path}`, or stands where none may.',
  CONFIG_REFERENCE_DENIED: 'A reference asks for what the hub file does not allow.',
  CONFIG_REFERENCE_UNSET: 'A reference has no value on this machine.',
} as const;

export type ProblemCode = keyof typeof problemCatalogue;

/** A place in a value that was read from YAML. */
export type ValuePath = readonly (string | number)[];

export interface Problem {
  /** Absolute. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  readonly code: ProblemCode;
  /** Names the fault and the remedy; never a secret. */
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** Where a path of a file's value stands in its text. */
export interface Places {
  readonly file: string;
  place(path: ValuePath, at?: PlaceAt): { readonly line: number; readonly column: number };
}

/** The key, the value, or a number of characters into the value, which is text. A path that is not there: the nearest part that is. */
export type PlaceAt = 'key' | 'value' | number;

/** Gathers the problems of a load. */
export class ProblemList {
  readonly #problems: Problem[] = [];

  get hasErrors(): boolean {
    return this.#problems.some(({ severity }) => severity === 'error');
  }

  add(
    places: Places,
    path: ValuePath,
    problem: { code: ProblemCode; message: string; at?: PlaceAt; severity?: Problem['severity'] },
  ): void {
    const { code, message, at = 'value', severity = 'error' } = problem;
    this.push({ file: places.file, ...places.place(path, at), code, message, severity });
  }

  push(problem: Problem): void {
    this.#problems.push(problem);
  }

  /** In the order of the files, then of the lines. The same fault at the same place counts once. */
  sorted(): readonly Problem[] {
    const files = [...new Set(this.#problems.map(({ file }) => file))];
    const seen = new Set<string>();
    return this.#problems
      .filter(({ file, line, column, code, message }) => {
        const key = JSON.stringify([file, line, column, code, message]);
        return !seen.has(key) && seen.add(key);
      })
      .sort(
        (one, other) =>
          files.indexOf(one.file) - files.indexOf(other.file) || one.line - other.line || one.column - other.column,
      );
  }
}
