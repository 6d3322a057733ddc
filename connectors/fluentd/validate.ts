import type { OptionProblem } from 'sluice/api';
import { listenerProblems, reservedHeader, unixSocketProblems } from 'sluice/toolkit';
import type { SourceOptions } from './options.ts';

/** What the schema cannot say. */
export function findProblems(options: SourceOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [...unixSocketProblems(options), ...listenerProblems(options)];
  const { tag_header: header, max_message: sent, max_inflated_message: inflated, max_in_flight: inFlight } = options;
  const reserved = reservedHeader(header);
  if (reserved !== null) problems.push({ path: ['tag_header'], message: reserved });
  if (inFlight < sent + inflated) {
    const message =
      'must be `max_message` and `max_inflated_message` together at least, or the largest messages never fit';
    problems.push({ path: ['max_in_flight'], message: `\`max_in_flight\` ${message}` });
  }
  if (options.tag_field !== undefined && options.tag_field === options.time_field)
    problems.push({ path: ['time_field'], message: 'is the name of `tag_field` too; choose another one' });
  if (options.unix !== undefined && options.udp_heartbeat)
    problems.push({
      path: ['udp_heartbeat'],
      message: 'goes with `listen`; over a Unix socket nobody asks for heartbeats',
    });
  return [...problems, ...protocolProblems(options)];
}

/** Options that go with the other protocol would be without effect, and some of them are there for safety. */
function protocolProblems({
  protocol,
  security,
  unix,
  udp_heartbeat,
  auth,
  cors,
}: SourceOptions): readonly OptionProblem[] {
  const problem = (option: string, message: string): OptionProblem => ({ path: [option], message });
  if (protocol === 'forward')
    return [
      ...(auth === undefined
        ? []
        : [problem('auth', '`auth` goes with `protocol: http`; the forward protocol has `security`')]),
      ...(cors === undefined ? [] : [problem('cors', '`cors` goes with `protocol: http`')]),
    ];
  return [
    ...(auth !== undefined && Object.keys(auth).length === 0
      ? [problem('auth', '`auth` accepts nobody as it is; give `basic`, `bearer`, `users` or `tokens`')]
      : []),
    ...(security === undefined ? [] : [problem('security', '`security` is of the forward protocol; use `auth` here')]),
    ...(unix === undefined ? [] : [problem('unix', '`unix` goes with `protocol: forward`')]),
    ...(udp_heartbeat ? [problem('udp_heartbeat', '`udp_heartbeat` goes with `protocol: forward`')] : []),
  ];
}
