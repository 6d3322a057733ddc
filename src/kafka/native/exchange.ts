import type { Connection, Reader, Writer } from '@platformatic/kafka';

export interface RawRequest<Answer> {
  readonly apiKey: number;
  readonly version: number;
  /** Are the headers of request and answer of the kind with tagged fields? */
  readonly isFlexible: boolean;
  readonly write: () => Writer;
  readonly read: (reader: Reader) => Answer;
}

/** Sends a request that the package has no function for. The bytes of `write` are copied before this returns. */
export function exchange<Answer>(connection: Connection, request: RawRequest<Answer>): Promise<Answer> {
  const { apiKey, version, isFlexible, write, read } = request;
  return new Promise((resolve, reject) => {
    connection.send(
      apiKey,
      version,
      write,
      (_correlationId, _apiKey, _version, reader) => read(reader),
      isFlexible,
      isFlexible,
      (error, answer) => {
        if (error !== null) reject(error);
        else resolve(answer as Answer);
      },
    );
  });
}
