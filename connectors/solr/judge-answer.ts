import type { Failure } from 'sluice/api';
import type { EndpointAnswer } from 'sluice/toolkit';
import type { Target } from './target.ts';
import { readError, readUpdateAnswer, shortened, type ToleratedError, type UpdateAnswer } from './update-answer.ts';
import { blockEvery, judgeRefusal, rejected, unavailable } from './verdicts.ts';

/** Why a request does not count as done. */
export interface Judged {
  readonly failure: Failure;
  /** The document that is to blame, when one is named. */
  readonly id: string | null;
  readonly message: string;
}

export interface Request {
  readonly target: Target;
  readonly minReplicas: number;
  /** Documents and deletions in it. */
  readonly sent: number;
  readonly adds: number;
  /** The answer names each document that was taken. */
  readonly namesAll: boolean;
}

/** What an answer means: a failure, or documents that were refused while all others were taken. Who says 200 has not always taken anything. */
export function judgeAnswer(
  answer: EndpointAnswer,
  request: Request,
): Judged | { readonly errors: readonly ToleratedError[] } {
  const { status, bytes, doing, retryAfterMs } = answer;
  if (status !== 200) {
    const { message } = readError(bytes);
    const refused = { status, message, doing, location: answer.header('location'), retryAfterMs };
    return { ...judgeRefusal(refused), message };
  }
  const reply = readUpdateAnswer(bytes);
  if (reply === null) return again(`${doing}: the answer is none to an update, or not all of it`);
  if (reply.status !== 0) return again(`${doing}: status ${reply.status}`);
  for (const { message } of reply.errors) {
    // A chain that tolerates refusals tolerates them for each document of a collection that takes none.
    const failure = blockEvery(message, `${doing}: ${shortened(message)}`);
    if (failure !== null) return { failure, id: null, message };
  }
  const fault = faultOf(reply, request);
  if (fault !== null) return again(`${doing}: ${fault}`);
  // Nobody knows of the others then, where a node passed them on: each alone is clear.
  const isUnclear = reply.replicas === Infinity && reply.errors.length > 0 && !request.target.isDirect;
  if (isUnclear && request.sent > 1) {
    const { message } = reply.errors[0]!;
    return { failure: { disposition: 'split', error: rejected(message) }, id: null, message };
  }
  return { errors: reply.errors };
}

/** Null when the answer says that everything was taken but what it names. */
function faultOf({ replicas, errors, confirmed, unconfirmed }: UpdateAnswer, request: Request): string | null {
  const { target, minReplicas, sent, adds, namesAll } = request;
  const taken = target.isDirect ? confirmed : confirmed + unconfirmed;
  if (target.isDirect && unconfirmed > 0)
    return `${unconfirmed} documents were passed on to a node that does not say that it has them`;
  if (taken + errors.length > sent || (namesAll && taken + errors.length < sent))
    return `it confirms ${taken} of ${sent - errors.length} documents`;
  // Of deletions alone nobody knows where a field chooses the shard: all are asked.
  if (!target.isCloud || (adds === 0 && target.shards === null)) return null;
  // Seen when a leader stood still: said with 200, and the document is nowhere.
  if (replicas === Infinity && errors.length === 0)
    return 'nobody knows whether a replica has taken it (rf 2147483647)';
  if (replicas !== null && replicas < minReplicas)
    return `${replicas} of the ${minReplicas} replicas of \`min_replicas\` have taken it`;
  return null;
}

function again(message: string): Judged {
  return { failure: unavailable(message), id: null, message };
}
