import type { ErrorCode } from '../../src/api/index.ts';

/** What to do about an error, for `docs/errors.md`. */
export const remedies: Readonly<Record<ErrorCode, string>> = {
  RECORD_TOO_LARGE: 'Nothing, if a dead letter is right for it; else raise `max_record` of the topic.',
  RECORD_CORRUPT:
    'Run `sluice log check`. Bytes went bad on disk or in memory: look at the disk, restore the folder from a copy.',
  RECORD_UNSUPPORTED:
    'Install the optional packages `snappy` and `lz4-napi`, or read the data with the version that wrote it.',
  ARCHIVE_DAMAGED:
    'Restore the file from its origin, under its name or another one: what was read of it is not read again. The message names both places.',
  DECODE_INVALID:
    'Look at the record (`sluice dlq show`); mend whoever writes it, or set `decode: text` or `bytes` at the leg.',
  DECODE_DEPTH: 'Mend whoever writes it, or set `decode: text`. The limit protects the hub and cannot be raised.',
  DECODE_KEYS: 'Mend whoever writes it, or set `decode: text`. The limit protects the hub and cannot be raised.',
  EXPRESSION_INVALID:
    'Mend the expression at the place that the message names; see [expressions](configuration.md#expressions).',
  EXPRESSION_FAILED:
    'Look at the record (`sluice dlq show`); guard the expression, as in `has(value.a) && value.a > 1`.',
  TEMPLATE_ESCAPED: 'Look at the record: it holds what a name or a path may not hold. Nothing was written outside.',
  LOG_CORRUPT:
    'Run `sluice log check`, which names the file. Nothing was cut: keep a copy of the folder, then see what `sluice log repair` would do.',
  LOG_IO: 'Look at the disk and at the permissions of `data_dir`; the cause stands behind it.',
  LOG_FULL:
    'Free the disk, or raise `retention.size` of the topic or `max_size` of its dead letters. It goes on by itself.',
  LOG_CLOSED: 'Nothing: the hub was stopping, and what was not confirmed is read or sent again.',
  DATA_FOLDER_IN_USE: 'Stop the process that the message names, or give this hub another `data_dir`.',
  TOPIC_CHANGED:
    'The topic was recreated, or another folder is in its place: restore it, or `sluice offsets forget` the sink to start anew.',
  TOPIC_UNKNOWN:
    'Check the name; `sluice offsets get` shows what there is. A pipeline without sources needs one that writes its topic.',
  KAFKA_UNREACHABLE: 'Check `brokers` and the network. Nothing is lost: it goes on by itself when a broker answers.',
  KAFKA_CREDENTIALS: 'Check `sasl`: mechanism, user and password as the brokers know them. It tries again by itself.',
  KAFKA_TLS:
    'Check `tls` and the port: brokers have one port for TLS and another without; `ca` must have signed theirs.',
  KAFKA_DENIED:
    'Have the operation that the message names allowed to this user (`kafka-acls`). It tries again by itself.',
  KAFKA_UNSUPPORTED: 'Use newer brokers, or leave out the option that the message names.',
  KAFKA_FENCED: 'Nothing, when another hub was meant to take over; else two hubs share one identity: see `host`.',
  KAFKA_REBALANCED: 'Nothing: the member that has the partition now goes on from the saved offset.',
  KAFKA_TRANSACTION: 'Nothing: the records are sent again. Raise the time-out of transactions if it comes often.',
  KAFKA_REFUSED: 'Read the cause, which is the broker’s own word.',
  KAFKA_CLOSED: 'Nothing: the hub was stopping, and what was not confirmed is read or sent again.',
  SOURCE_FAILED: 'Read the cause. It is started again by itself, from its checkpoint.',
  SINK_UNAVAILABLE:
    'Nothing, if it comes back: records wait in the topic. Else look at the target; the cause names it.',
  SINK_REJECTED: 'Look at the dead letter; mend the record or the target.',
  SINK_BLOCKED: 'Give it the credentials or permissions that it lacks, or make room. It tries again every 30 s.',
  SINK_CONFLICT: 'Only one hub may write there: stop the other, or give this sink a folder of its own.',
  JOB_FAILED:
    'Read why in the log, in the status or in what the job wrote, mend it, then resume the pipeline; ranges that were given up are among the dead letters.',
  CONNECTOR_BUG: 'Report it to the author of the connector, with the log of `run --verbose`.',
  DEAD_LETTER_OFF:
    'Mend the record or the target, or allow dead letters (`dead_letter`). The leg waits, nothing is skipped.',
  LISTENER_IN_USE: 'Stop what listens there, or give another `listen`.',
  REFERENCE_UNRESOLVED: 'Set the variable or write the file, or allow it under `references` of the hub file.',
  OPTION_INVALID: 'Mend the option that the message names; `sluice connectors NAME` shows what it takes.',
  WORKER_LOST:
    'Nothing, if it was once: its pipelines are started again. If it repeats, raise `worker_memory`, or use `isolation: thread`.',
  TIMEOUT: 'Read what took so long; it is tried again where that makes sense.',
};
