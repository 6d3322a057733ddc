import { SluiceError, type ErrorCode } from '../../api/index.ts';
import { meaningOf, type ErrorClass } from './error-codes.ts';

/** What went wrong between this client and a cluster, and what to do about it. */
export class KafkaError extends SluiceError {
  readonly class: ErrorClass;
  /** What is said while it is waited for: what is the matter, without what was being done. */
  readonly matter: string;

  constructor(code: ErrorCode, errorClass: ErrorClass, doing: string, matter: string, cause?: unknown) {
    const retryable = errorClass === 'retry' || errorClass === 'metadata' || errorClass === 'coordinator';
    super(code, `${doing}: ${matter}`, { retryable, cause });
    this.class = errorClass;
    this.matter = matter;
  }
}

/** An error code of an answer. */
export class ProtocolError extends KafkaError {
  readonly protocolCode: number;
  /** The only one that it is about; null: others may be concerned. */
  readonly topic: string | null;

  constructor(
    protocolCode: number,
    doing: string,
    { detail = null, topic = null }: { readonly detail?: string | null; readonly topic?: string | null } = {},
  ) {
    const { name, class: errorClass, code, text } = meaningOf(protocolCode);
    const said =
      errorClass === 'denied' ? ['the access control of the cluster does not let this user'] : [text, detail];
    const words = said.filter((part) => part !== null && part !== '').join('; ');
    super(code, errorClass, doing, words === '' ? name : `${words} (${name})`);
    this.protocolCode = protocolCode;
    this.topic = topic;
  }
}

/** `doing` names the operation and its object: `fetching from topic "a" partition 3`. `detail`: what the broker says beside the code. */
export function protocolError(code: number, doing: string, detail: string | null = null): ProtocolError {
  return new ProtocolError(code, doing, { detail });
}

/** Of an answer about one topic: what is known of others stays. */
export function topicError(code: number, topic: string, doing: string): ProtocolError {
  return new ProtocolError(code, doing, { topic });
}

/** Of a broker that has just started. */
export function knowsNoBrokers(): KafkaError {
  const matter = 'a broker that starts does not know the cluster yet';
  return new KafkaError('KAFKA_UNREACHABLE', 'retry', 'asking for the brokers', matter);
}

/** Throws what an error code of an answer means; 0 means nothing. */
export function throwOnCode(code: number, doing: string, detail: string | null = null): void {
  if (code !== 0) throw protocolError(code, doing, detail);
}

/** Of brokers that cannot be reached it is said which and why; of an answer also to what. */
export function matterOf(error: SluiceError): string {
  return error instanceof KafkaError && !(error instanceof ProtocolError) ? error.matter : error.message;
}
