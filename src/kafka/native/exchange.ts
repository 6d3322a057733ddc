import type { API, Connection, Reader, Writer } from './package.ts';
import type { Place, Wire } from './wire.ts';

export interface RawRequest<Answer> {
  readonly apiKey: number;
  readonly version: number;
  /** Are the headers of request and answer of the kind with tagged fields? */
  readonly isFlexible: boolean;
  readonly write: () => Writer;
  readonly read: (reader: Reader) => Answer;
  /** Where its answer is to lie. */
  readonly place?: Place;
}

/** Sends a request that the package has no function for. */
export function exchange<Answer>(wire: Wire, request: RawRequest<Answer>): Promise<Answer> {
  const { apiKey, version, isFlexible, write, read, place } = request;
  return new Promise((resolve, reject) => {
    wire.send(
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
      place,
    );
  });
}

/** Sends a request by a function of the package, which calls nothing but `send`. Rejects also where the answer carries error codes. */
export function callApi<Arguments extends unknown[], Answer>(
  wire: Wire,
  api: API<Arguments, Answer>,
  ...args: Arguments
): Promise<Answer> {
  return api.async(wire as unknown as Connection, ...args);
}
